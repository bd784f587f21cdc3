#!/usr/bin/env python3
"""manual: the manual page ipcctl(1) against ipcctl itself.

Every command and every option of the command table is in the page, in the right place; the page has
no other commands; and each example prints what the page says. The help shows the
same words behind a command, and fits a terminal. The table is asked for by way of the completion. $IPCCTL is the program, $IPCD_SOCKET the socket of a daemon without objects.
"""
import os
import re
import subprocess
import sys
import tempfile

IPCCTL = os.environ["IPCCTL"]
GLOBAL = {"socket", "json", "timeout", "help", "version"}
# Described once for all dict, list and namespace commands, and call.
COMMON = {"text", "raw"}


def complete(line):
    run = subprocess.run([IPCCTL, "complete", "--", line, ""], stdout=subprocess.PIPE, text=True,
                         check=True)
    return run.stdout.splitlines()


# The types, and what else, whose commands have two words.
FAMILIES = sorted(set(complete("ipcctl create ")) & set(complete("ipcctl ")) | {"server", "store"})


def commands():
    """Every command, with the names of its options."""
    words = complete("ipcctl ")
    for family in FAMILIES:
        words.remove(family)
        words += [f"{family} {word}" for word in complete(f"ipcctl {family} ")]
    return {word: {option.lstrip("-").rstrip("=") for option in complete(f"ipcctl {word} --")}
            for word in words}


def show_help(command):
    run = subprocess.run([IPCCTL, "help", *command.split()], stdout=subprocess.PIPE, text=True,
                         check=True)
    return run.stdout


def letters(command):
    """The options of a command that have a letter, as its help shows them."""
    return re.findall(r"^  -(\w), --([a-z-]+)", show_help(command), re.MULTILINE)


def check_width(table):
    """No line of any help is broken by a terminal of 80 columns."""
    return [f"help {command}: {line}: too long" for command in ["", *FAMILIES, *table]
            for line in show_help(command).splitlines() if len(line) > 80]


def check_words(table, page):
    """What stands behind a command is the same in its help and in the page, in the same order."""
    wrong = []
    for command in table:
        usage = show_help(command).splitlines()[0].split("[OPTION...]")[0]
        shown = [word.lower() for word in re.findall(r"\b[A-Z][A-Z-]*\b", usage)]
        item = re.search(rf"^\.It Ic {command}\b(?! [a-z])(.*)$", page, re.MULTILINE)
        told = re.findall(r"\b[a-z][a-z-]*\b", item.group(1)) if item is not None else []
        if shown != told:
            wrong.append(f"{command}: the help has {shown}, the page {told}")
    return wrong


def check_letters(table, page):
    """No letter means two options of a command; the page gives each option its letter."""
    wrong = []
    for command in table:
        pairs = letters(command)
        if len({letter for letter, _ in pairs}) < len(pairs):
            wrong.append(f"{command}: a letter stands for two options")
        wrong += [f"{command} -{letter}, --{option}: not so in the page" for letter, option in pairs
                  if not re.search(rf"Fl {letter} , (Fl )?-{option}\b", page)]
    return wrong


def described(page):
    """The commands of the page, with the options that are described under each."""
    items = re.split(r"^\.It Ic ", page.split(".Sh VALUES")[0], flags=re.MULTILINE)
    found = {}
    for item in items[1:]:
        name = re.match(rf"((?:(?:{'|'.join(FAMILIES)}) )?[a-z-]+)", item).group(1)
        found[name] = set(re.findall(r"^\.It (?:Fl \w , )?Fl -([a-z-]+)", item, re.MULTILINE))
    return found


def compare(table, page):
    wrong = []
    for command, options in table.items():
        if command not in page:
            wrong.append(f"{command}: not in the page")
            continue
        missing = options - GLOBAL - page[command]
        if re.match(r"dict |list |namespace |call", command):
            missing -= COMMON
        if command.startswith("store "):
            missing -= {"state"}  # described once for all of them
        wrong += [f"{command} --{option}: not in the page" for option in sorted(missing)]
        wrong += [f"{command} --{option}: there is no such option"
                  for option in sorted(page[command] - options)]
    return wrong + [f"{command}: there is no such command" for command in page if command not in table]


def examples(page):
    """The commands of the page's examples, each with what it prints."""
    for block in re.findall(r"^\.Bd -literal.*?\n(.*?)^\.Ed", page, re.MULTILINE | re.DOTALL):
        text = block.replace("\\e", "\\").replace("\\(dq", '"')
        yield from re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", text, re.MULTILINE)


def try_examples(page, folder):
    os.environ["PATH"] = os.path.dirname(IPCCTL) + ":" + os.environ["PATH"]
    wrong = []
    count = 0
    for command, expected in examples(page):
        run = subprocess.run(["bash", "-c", command], stdout=subprocess.PIPE, text=True,
                             stderr=subprocess.STDOUT, cwd=folder, stdin=subprocess.DEVNULL, timeout=60,
                             check=False)
        count += 1
        if run.stdout != expected:
            wrong.append(f"$ {command}\nthe page says:\n{expected}and this came out:\n{run.stdout}")
    return wrong if count > 0 else ["there are no examples"]


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        page = file.read()
    table = commands()
    wrong = compare(table, described(page)) + check_letters(table, page)
    wrong += check_width(table) + check_words(table, page)
    with tempfile.TemporaryDirectory() as folder:
        wrong += try_examples(page, folder)
    print("\n".join(wrong))
    sys.exit(1 if wrong else 0)


main()
