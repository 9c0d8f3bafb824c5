# SPDX-License-Identifier: Apache-2.0
"""The exchange: one new operation decided against very many, and a record folded again.

No peer keeps a record that both sides can prove beside its decisions, so goals stand alone.
"""
