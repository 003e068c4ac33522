# SPDX-License-Identifier: Apache-2.0
"""The benchmark of the reservoir beside other mirrors and servers."""
