# SPDX-License-Identifier: Apache-2.0
#
# The images of Silica: programs, the shared objects that they are linked with, and
# nothing that a shell, a package manager or a second user would need.
# `make image` builds them (scripts/image/build).
#
# One image for all programs of a node: they share the C library, OpenSSL and most of
# the rest, and a node that runs two of them pulls those once.

# Has Debian 12 and its archive; the archive is all that the build asks for.
ARG BASE=debian:12-slim

# The packages lie in a stage of their own: with --target packages they are
# fetched once, and given as BASE to builds that may fetch none.
FROM ${BASE} AS packages
WORKDIR /usr/src/silica
COPY scripts/install-deps.sh scripts/packages.txt scripts/
RUN scripts/install-deps.sh build image

# What both images have is made once; with --target libraries it can be given as BASE, too.
FROM packages AS libraries
COPY scripts/image/build-libraries scripts/image/
RUN scripts/image/build-libraries /opt/static curl

FROM libraries AS build-silica
COPY . .
RUN export PKG_CONFIG_PATH=/opt/static/lib/pkgconfig \
	&& cmake --preset release \
	&& cmake --build --preset release --target \
		silica-device-plugin silica-node-labeller silicactl
# The time of every file, in seconds since 1970.
ARG SOURCE_DATE_EPOCH=0
RUN scripts/image/collect silica build/release/bin /opt/static /rootfs

FROM libraries AS build-reservoir
ARG SOURCE_DATE_EPOCH=0
RUN scripts/image/build-libraries /opt/static libsolv rnp libarchive
COPY . .
RUN export PKG_CONFIG_PATH=/opt/static/lib/pkgconfig \
	&& cmake --preset release \
	&& cmake --build --preset release --target silica-reservoir
RUN scripts/image/collect reservoir build/release/bin /opt/static /rootfs

# The package mirror is an image of its own: --target reservoir.  It shares little with the
# rest, and runs where they do not.
FROM scratch AS reservoir
COPY --from=build-reservoir /rootfs/ /
USER 65532:65532
ENV PATH=/usr/bin
ENTRYPOINT ["/usr/bin/silica-reservoir"]
ARG VERSION
ARG REVISION
LABEL org.opencontainers.image.title="silica-reservoir" \
	org.opencontainers.image.description="Package mirror for sites without the internet" \
	org.opencontainers.image.licenses="Apache-2.0" \
	org.opencontainers.image.vendor="The Silica authors" \
	org.opencontainers.image.version="${VERSION}" \
	org.opencontainers.image.revision="${REVISION}"

FROM scratch AS silica
COPY --from=build-silica /rootfs/ /
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
