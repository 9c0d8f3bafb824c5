# SPDX-License-Identifier: Apache-2.0
"""What comes close: arrays in, arrays out. Knows no party and no agreement."""
