/*
 * _core_held: what a thread holds: locks and conditions, as the package's proxies inherit them. To
 * acquire and to release is what is done to them again and again, so it is here, down to `with`.
 * Whoever waits no longer than a time does so in Python, by `_hold`.
 */
#include "_core.h"

struct held {
    struct handle handle; /* first: it is one */
    PyObject *acquire;    /* names of methods, as bytes; owned */
    PyObject *release;
    PyObject
        *depths;    /* how often each owner holds it, where that is needed later; or NULL; owned */
    bool abandoned; /* what the last acquire was told */
};

/* The depth of an owner has changed. -1 with an exception. */
static int note_depth(const struct held *held, PyObject *owner, PyObject *depth)
{
    if (held->depths == NULL) {
        return 0;
    }
    int held_still = PyObject_IsTrue(depth);
    if (held_still != 0) {
        return held_still < 0 ? -1 : PyDict_SetItem(held->depths, owner, depth);
    }
    int known = PyDict_Contains(held->depths, owner);
    return known > 0 ? PyDict_DelItem(held->depths, owner) : known;
}

/* Calls a method with params of which the last one is this thread, as the owner, and notes the
 * depth that is then. NULL with an exception. */
static PyObject *call_as_thread(struct held *held, PyObject *args[], Py_ssize_t count,
                                enum result form)
{
    PyObject *owner = PyLong_FromLongLong(ipcc_thread_owner().as.integer);
    struct call call = {.conn = held->handle.conn,
                        .source = (PyObject *)held,
                        .named = true,
                        .args = args,
                        .count = count,
                        .form = form};
    bool ready = call.conn != NULL && args[0] != NULL;
    if (!ready) {
        PyErr_SetString(PyExc_ValueError, "the proxy has not been initialised");
    }
    args[count - 1] = owner;
    PyObject *result = owner != NULL && ready ? call_run(&call) : NULL;
    if (result != NULL) {
        PyObject *depth = form == RESULT_HELD ? PyTuple_GetItem(result, 0) : result;
        if (note_depth(held, owner, depth) < 0) {
            Py_DECREF(result);
            result = NULL;
        }
    }
    Py_XDECREF(owner);
    return result;
}

static PyObject *held_hold(PyObject *self, PyObject *timeout_ms)
{
    struct held *held = (struct held *)self;
    PyObject *args[] = {held->acquire, timeout_ms, NULL};
    PyObject *result = call_as_thread(held, args, 3, RESULT_HELD);
    if (result == NULL) {
        return NULL;
    }
    held->abandoned = PyTuple_GetItem(result, 1) == Py_True;
    Py_DECREF(result);
    Py_RETURN_TRUE;
}

static PyObject *held_acquire(PyObject *self, PyObject *args, PyObject *kwargs)
{
    if (PyTuple_Size(args) == 0 && kwargs == NULL) {
        return held_hold(self, Py_None);
    }
    PyObject *within = PyObject_GetAttrString(self, "_acquire_within");
    PyObject *result = within != NULL ? PyObject_Call(within, args, kwargs) : NULL;
    Py_XDECREF(within);
    return result;
}

static PyObject *held_release(PyObject *self, PyObject *unused)
{
    struct held *held = (struct held *)self;
    PyObject *args[] = {held->release, NULL};
    PyObject *result = call_as_thread(held, args, 2, RESULT_VALUE);
    if (result == NULL) {
        return NULL;
    }
    Py_DECREF(result);
    Py_RETURN_NONE;
}

static PyObject *held_enter(PyObject *self, PyObject *unused)
{
    return held_hold(self, Py_None);
}

static PyObject *held_exit(PyObject *self, PyObject *exception)
{
    return held_release(self, NULL);
}

static PyObject *held_note_depth(PyObject *self, PyObject *args)
{
    PyObject *owner;
    PyObject *depth;
    if (!PyArg_ParseTuple(args, "OO", &owner, &depth) ||
        note_depth((struct held *)self, owner, depth) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

/* ---- the type -------------------------------------------------------------------------------- */

static int held_init(PyObject *self, PyObject *args, PyObject *kwargs)
{
    struct held *held = (struct held *)self;
    if (handle_init(self, args, kwargs) < 0) {
        return -1;
    }
    held->acquire = PyObject_GetAttrString(self, "_acquire");
    held->release = PyObject_GetAttrString(self, "_release");
    return held->acquire != NULL && held->release != NULL ? 0 : -1;
}

static void held_dealloc(PyObject *self)
{
    struct held *held = (struct held *)self;
    Py_XDECREF(held->acquire);
    Py_XDECREF(held->release);
    Py_XDECREF(held->depths);
    handle_dealloc(self);
}

static PyObject *held_abandoned(PyObject *self, void *unused)
{
    return PyBool_FromLong(((struct held *)self)->abandoned);
}

static int held_set_abandoned(PyObject *self, PyObject *value, void *unused)
{
    int abandoned = value != NULL ? PyObject_IsTrue(value) : 0;
    ((struct held *)self)->abandoned = abandoned > 0;
    return abandoned < 0 ? -1 : 0;
}

static PyObject *held_depths(PyObject *self, void *unused)
{
    PyObject *depths = ((struct held *)self)->depths;
    depths = depths != NULL ? depths : Py_None;
    Py_INCREF(depths);
    return depths;
}

static int held_set_depths(PyObject *self, PyObject *value, void *unused)
{
    struct held *held = (struct held *)self;
    if (value == NULL || !PyDict_Check(value)) {
        PyErr_SetString(PyExc_TypeError, "depths are kept in a dict");
        return -1;
    }
    PyObject *before = held->depths;
    Py_INCREF(value);
    held->depths = value;
    Py_XDECREF(before);
    return 0;
}

static PyMethodDef methods[] = {
    {"acquire", (PyCFunction)(void (*)(void))held_acquire, METH_VARARGS | METH_KEYWORDS,
     "acquire($self, /, block=True, timeout=None)\n--\n\n"
     "Waits until this thread holds it, at most `timeout` seconds; whether it does. Look at\n"
     "`abandoned` then. A lock that is not recursive makes its own holder wait, too."},
    {"release", held_release, METH_NOARGS,
     "release($self, /)\n--\n\n"
     "Holds it once less. RuntimeError: this thread does not hold it."},
    {"__enter__", held_enter, METH_NOARGS, "Acquires it."},
    {"__exit__", held_exit, METH_VARARGS, "Releases it."},
    {"_hold", held_hold, METH_O,
     "_hold($self, timeout_ms, /)\n--\n\n"
     "Waits until this thread holds it: milliseconds; None for no limit. True; `Timeout`."},
    {"_note_depth", held_note_depth, METH_VARARGS,
     "_note_depth($self, owner, depth, /)\n--\n\n"
     "Keeps how often an owner holds it, if that is kept."},
    {NULL, NULL, 0, NULL}};

static PyGetSetDef fields[] = {
    {"abandoned", held_abandoned, held_set_abandoned,
     "What the last acquire of this proxy was told: that the last holder died, or ended its\n"
     "session, while it held it.",
     NULL},
    {"_depths", held_depths, held_set_depths,
     "How often each owner holds it, as a dict; None: that is not kept.", NULL},
    {NULL, NULL, NULL, NULL, NULL}};

PyDoc_STRVAR(type_doc,
             "Held(connection, name)\n--\n\nA Handle that a thread holds. Its class has the "
             "methods' names, _acquire and _release, and\n_acquire_within: acquire, with "
             "what is given to it.");

int held_ready(PyObject *module)
{
    PyObject *handle = PyObject_GetAttrString(module, "Handle");
    PyObject *bases = handle != NULL ? PyTuple_Pack(1, handle) : NULL;
    PyType_Slot slots[] = {{Py_tp_init, (void *)(uintptr_t)held_init},
                           {Py_tp_dealloc, (void *)(uintptr_t)held_dealloc},
                           {Py_tp_methods, methods},
                           {Py_tp_getset, fields},
                           {Py_tp_bases, bases},
                           {Py_tp_doc, (void *)(uintptr_t)type_doc},
                           {0, NULL}};
    PyType_Spec spec = {.name = "ipcd._core.Held",
                        .basicsize = sizeof(struct held),
                        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
                        .slots = slots};
    int status = bases != NULL ? add_type(module, "Held", &spec) : -1;
    Py_XDECREF(bases);
    Py_XDECREF(handle);
    return status;
}
