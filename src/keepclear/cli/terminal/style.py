# SPDX-License-Identifier: Apache-2.0
"""How the desk in a terminal looks. Whatever a colour says stands there in words, too.

A bar stands in front of each line that a sender has typed, of those too that are too long for one:
without it the text of a message could look like the rows below it, and say that it was answered.
"""

from typing import Final

CSS: Final = """
DeskScreen { background: black; color: white; }
#status { height: 1; text-style: bold; }
.is-actual #status { background: #0000af; color: white; }
.is-exercise #status { background: #ffd700; color: black; }
.is-test #status { background: #af00af; color: white; }
#standing { height: auto; max-height: 6; color: #5fd75f; }
.is-stale #standing { background: #d75f00; color: black; text-style: bold; }
.title { height: 1; color: #87afd7; text-style: bold; }
#came, #sent { height: auto; text-wrap: nowrap; text-overflow: ellipsis; }
#detail { height: 1fr; border-top: solid #585858; scrollbar-size-vertical: 1; }
#heading { height: auto; text-style: bold; }
#text { height: auto; margin: 1 1 1 0; text-style: bold; color: #ffffff; }
#text.is-said { border-left: heavy #ffffff; }
#beside { height: auto; color: #bcbcbc; }
.is-alarm #detail { background: #af0000; border-top: none; }
.is-alarm #heading { background: white; color: #af0000; }
.is-alarm #text { margin: 2 3 2 2; }
.is-alarm #beside { color: white; }
.is-alarm .list, .is-nothing { display: none; }
#more { height: 1; color: #ffaf00; text-style: bold; }
#said { height: auto; max-height: 8; color: white; text-style: bold; }
.is-refused #said { background: #d75f00; color: black; }
#keys { height: 2; background: #303030; color: #d0d0d0; }
Form { align: center bottom; background: transparent; }
#form { height: auto; background: #1c1c1c; border: solid white; padding: 0 1; }
#form-title { text-style: bold; }
#form .label { color: #87afd7; }
#form Line { background: #303030; color: white; }
#form-said { height: auto; max-height: 8; text-style: bold; color: #ffaf00; }
#form-keys { color: #8a8a8a; }
Page { background: black; color: white; }
#page { height: 1fr; padding: 0 1; scrollbar-size-vertical: 1; }
#page-keys { height: 1; background: #303030; color: #d0d0d0; }
"""
