# SPDX-License-Identifier: Apache-2.0
"""Bytes to values and back, one file a format, its layout as the docstring."""
