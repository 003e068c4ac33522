# SPDX-License-Identifier: Apache-2.0
"""What the tests with real clients, the demo and the benchmark stand on."""
