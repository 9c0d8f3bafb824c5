# SPDX-License-Identifier: Apache-2.0
"""The exchange: the world, what acts do to it, and the one door out."""
