"""changed_import: loads a module of CPython's tests as it would be if its author had changed the import.

`import multiprocessing` and `from multiprocessing…` become those of ipcd.multiprocessing, in the
programs that the tests write, too; nothing else is changed. The module has its own name, under which
children of spawn and forkserver find it, as they run the main module first.
"""
import importlib.machinery
import importlib.util
import re
import sys

CHANGES = [
    (r"^(\s*)import multiprocessing\.(\w+)$",
     r"\1import ipcd.multiprocessing.\2; from ipcd import multiprocessing"),
    (r"^(\s*)import multiprocessing as (\w+)$", r"\1import ipcd.multiprocessing as \2"),
    (r"^(\s*)import multiprocessing$", r"\1from ipcd import multiprocessing"),
    (r"^(\s*)from multiprocessing\b", r"\1from ipcd.multiprocessing"),
]


class Loader(importlib.machinery.SourceFileLoader):
    """Reads the source, changes it, and compiles it anew every time."""

    def get_code(self, fullname):
        text = self.get_data(self.path).decode()
        for pattern, replacement in CHANGES:
            text = re.sub(pattern, replacement, text, flags=re.M)
        return compile(text, self.path, "exec", dont_inherit=True)


def load(package, name):
    """The module package.name, with its import changed."""
    full = f"{package}.{name}"
    loader = Loader(full, importlib.util.find_spec(full).origin)
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(full, loader))
    sys.modules[full] = module
    loader.exec_module(module)
    setattr(sys.modules[package], name, module)
    return module
