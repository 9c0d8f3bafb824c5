# SPDX-License-Identifier: Apache-2.0
"""Scenarios on the in-memory exchange."""
