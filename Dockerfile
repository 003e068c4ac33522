# SPDX-License-Identifier: Apache-2.0
#
# The image of Silica: every program, the shared objects that they are linked
# with, and nothing that a shell, a package manager or a second user would need.
# `make image` builds it (scripts/image/build).
#
# One image for all programs: they share the C library, OpenSSL and most of the
# rest, and a node that runs two of them pulls those once.

# Has Debian 12 and its archive; the archive is all that the build asks for.
ARG BASE=debian:12-slim

# The packages lie in a stage of their own: with --target packages they are
# fetched once, and given as BASE to builds that may fetch none.
FROM ${BASE} AS packages
WORKDIR /usr/src/silica
COPY scripts/install-deps.sh scripts/packages.txt scripts/
RUN scripts/install-deps.sh build image

FROM packages AS build
COPY scripts/image/build-curl scripts/image/
RUN scripts/image/build-curl /opt/curl
COPY . .
RUN export PKG_CONFIG_PATH=/opt/curl/lib/pkgconfig \
	&& cmake --preset release \
	&& cmake --build --preset release --target \
		silica-device-plugin silica-node-labeller silicactl
# The time of every file, in seconds since 1970.
ARG SOURCE_DATE_EPOCH=0
RUN scripts/image/collect build/release/bin /opt/curl /rootfs

FROM scratch
COPY --from=build /rootfs/ /
# The device plugin is run as root by its DaemonSet, which must own its sockets.
USER 65532:65532
ENV PATH=/usr/bin
# No entry point: none of the programs is the one that is meant.
ARG VERSION
ARG REVISION
LABEL org.opencontainers.image.title="silica" \
	org.opencontainers.image.description="Accelerators for Kubernetes: device plugin, node labeller, command line" \
	org.opencontainers.image.licenses="Apache-2.0" \
	org.opencontainers.image.vendor="The Silica authors" \
	org.opencontainers.image.version="${VERSION}" \
	org.opencontainers.image.revision="${REVISION}"
