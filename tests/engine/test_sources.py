"""The sources of the functions, and the library that is made of them."""
import pathlib
import shutil
import subprocess
import sys

import pytest

from harness import ROOT, library

LUA = ROOT / "daemon" / "engine" / "lua"
TOOL = ROOT / "tools" / "engine-library"


@pytest.mark.parametrize("file", sorted(LUA.glob("*.lua")), ids=lambda file: file.name)
def test_each_file_is_lua_says_what_it_is_and_stays_readable(file):
    text = file.read_text(encoding="utf-8")
    assert text.startswith("-- " + file.stem.split("_", 1)[1] + ": ")
    assert text.count("\n") <= 600
    compiler = shutil.which("luac5.1")
    if compiler is None:
        pytest.skip("luac5.1 is not installed (package lua5.1)")
    subprocess.run([compiler, "-p", str(file)], check=True)


def test_no_file_has_a_global():
    """SETGLOBAL in what is compiled: Redis would refuse it when it runs."""
    compiler = shutil.which("luac5.1")
    if compiler is None:
        pytest.skip("luac5.1 is not installed (package lua5.1)")
    listing = subprocess.run([compiler, "-l", "-p", "-"], input=library()[1].split("\n", 1)[1],
                             check=True, stdout=subprocess.PIPE, text=True).stdout
    known = {"redis", "cmsgpack", "struct", "bit", "string", "table", "math", "pairs", "ipairs",
             "next", "pcall", "error", "type", "tonumber", "tostring", "select", "unpack",
             "setmetatable", "getmetatable", "rawget", "assert", "cjson", "os"}
    unknown = [line for line in listing.splitlines()
               if "SETGLOBAL" in line or
               "GETGLOBAL" in line and line.rsplit("; ", 1)[1] not in known]
    assert unknown == []


def test_the_name_is_made_of_the_contents(tmp_path):
    name, text = library()
    assert text.startswith(f"#!lua name={name}\n")
    assert library() == (name, text)
    more = tmp_path / "29_more.lua"
    more.write_text("-- more: nothing.\n", encoding="utf-8")
    assert library(more)[0] == name
    more.write_text("-- more: something.\nlocal more = 1\n", encoding="utf-8")
    assert library(more)[0] != name
    printed = subprocess.run([sys.executable, str(TOOL), "--name"], check=True,
                             stdout=subprocess.PIPE, text=True).stdout
    assert printed == name + "\n"


def test_it_is_written_to_a_file(tmp_path):
    out = pathlib.Path(tmp_path / "library.lua")
    subprocess.run([sys.executable, str(TOOL), "--output", str(out)], check=True)
    assert out.read_text(encoding="utf-8") == library()[1]
