"""test_cpython METHOD GROUP [ARGUMENT…]: CPython's own tests of multiprocessing, run against
ipcd.multiprocessing.

They are the installed ones (Debian: libpython3.11-testsuite), with their import changed and nothing
else. Every class of them belongs to a group below, and is run under the start method METHOD; the build
runs "processes" and "pools", which are multiprocessing's own, under fork only. Tests of threads
(multiprocessing.dummy) are not run; the others that are left out stand in CLASSES_LEFT_OUT and
LEFT_OUT, with their reasons.
"""
import functools
import os
import sys
import test
import test.support.script_helper
import unittest

import changed_import

multi = changed_import.load("test", "_test_multiprocessing")

# The classes, by the names that the tests have in CPython's file.
GROUPS = {
    "queues": ["_TestQueue", "TestSimpleQueue", "_TestLock", "_TestSemaphore", "_TestEvent",
               "_TestValue", "_TestArray", "_TestSharedCTypes", "TestTimeouts"],
    "conditions": ["_TestCondition"],
    "barriers": ["_TestBarrier"],
    "managers": ["_TestContainers", "TestSyncManagerTypes", "TestInitializers", "_TestMyManager",
                 "_TestRemoteManager", "_TestManagerRestart"],
    "connections": ["_TestConnection", "_TestListener", "_TestListenerClient", "_TestPoll",
                    "_TestPicklingConnections", "_TestPollEintr", "TestWait", "TestInvalidFamily",
                    "TestInvalidHandle", "OtherTest", "TestIgnoreEINTR"],
    # multiprocessing's own, reached through this package.
    "processes": ["_TestProcess", "_TestSubclassingProcess", "TestStartMethod", "TestNamedResource",
                  "TestNoForkBomb", "TestCloseFds", "TestForkAwareThreadLock", "MiscTestCase",
                  "TestStdinBadfiledescriptor", "_TestFinalize", "_TestLogging", "TestFlags"],
    "pools": ["_TestPool", "_TestPoolWorkerErrors", "_TestPoolWorkerLifetime",
              "TestPoolNotLeakOnFailure"],
}

OF_PYTHON = "about the insides of multiprocessing, which this package does not have"
ELSEWHERE = "about a module that is taken as it is, and starts no process of this package's"
RELEASED = "a lock that a process held is released at its end, which the test has not"

CLASSES_LEFT_OUT = {
    "_TestHeap": ELSEWHERE,
    "_TestSharedMemory": ELSEWHERE,
    "TestResourceTracker": ELSEWHERE,
    "SemLockTests": ELSEWHERE,
    "_TestImportStar": "its list of files is that of multiprocessing's folder: see test_package.py",
}

LEFT_OUT = {
    "TestSimpleQueue.test_closed": OF_PYTHON + ": _reader and _writer",
    "_TestQueue.test_queue_feeder_donot_stop_onexc":
        "put raises TypeError itself for what cannot be sent; there is no feeder thread",
    "_TestQueue.test_queue_feeder_on_queue_feeder_error": "there is no feeder thread",
    "TestSyncManagerTypes.test_lock": RELEASED,
    "TestSyncManagerTypes.test_bounded_semaphore": RELEASED,
    "TestSyncManagerTypes.test_pool": "a Pool of a Manager is in the process that made it",
    "_TestContainers.test_dict_iter":
        "a dict may change while it is iterated over, since others use it: it is no error",
    "_TestPool.test_make_pool":
        "of a Manager: expects RemoteError, as the Pool is in another process there",
}

# With an engine, and named objects (tests/support/named).
REFERENCES = "references to objects are bytes in an engine"
if "IPCD_ENGINE" in os.environ:
    LEFT_OUT.update({
        "_TestContainers.test_dict_proxy_nested": REFERENCES,
        "_TestContainers.test_list_proxy_in_list": REFERENCES,
        "_TestContainers.test_nested_queue": REFERENCES,
    })


def check_invariant(self, cond):
    """In place of that of _TestCondition, which counts with the condition's own semaphores."""
    if self.TYPE == "processes":
        self.assertEqual(cond.describe()["sleepers"], 0)


def with_path(function):
    """For programs that are started isolated, where this package would not be found."""
    return functools.partial(function, PYTHONPATH=os.environ.get("PYTHONPATH", ""))


multi._TestCondition.check_invariant = check_invariant
for _name in ("assert_python_ok", "assert_python_failure"):
    setattr(test.support.script_helper, _name, with_path(getattr(test.support.script_helper, _name)))

METHOD = sys.argv[1] if __name__ == "__main__" else "fork"
multi.install_tests_in_module_dict(globals(), METHOD)


def base_of(case):
    """The name that the class of a test has in CPython's file."""
    return case.__mro__[1].__name__


def is_left_out(case, name):
    """Whether a test is; of a Pool it is that of a Manager only."""
    if base_of(case) == "_TestPool":
        return name == "test_make_pool" and case.TYPE == "manager"
    return f"{base_of(case)}.{name}" in LEFT_OUT


def load_tests(loader, _tests, _pattern):
    """Those of the group."""
    suite = unittest.TestSuite()
    for left_out in LEFT_OUT:
        case, _, name = left_out.partition(".")
        assert hasattr(getattr(multi, case), name), left_out
    known = {name for names in GROUPS.values() for name in names} | set(CLASSES_LEFT_OUT)
    for case in list(globals().values()):
        if not isinstance(case, type) or not issubclass(case, unittest.TestCase):
            continue
        if base_of(case) not in known:
            raise LookupError(f"{base_of(case)} belongs to no group")
        if base_of(case) in GROUPS[GROUP] and getattr(case, "TYPE", "") != "threads":
            suite.addTests(case(name) for name in loader.getTestCaseNames(case)
                           if not is_left_out(case, name))
    return suite


if __name__ == "__main__":
    GROUP = sys.argv[2]
    unittest.main(argv=sys.argv[:1] + sys.argv[3:], verbosity=2)
