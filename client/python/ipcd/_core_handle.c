/*
 * _core_handle: objects of the daemon's, by name: what the package's proxies inherit. Each method
 * calls one of the daemon's with the name as the first param; they differ in what they make of the
 * result.
 */
#include "_core.h"

/* A method of handles that calls. */
static PyObject *run(PyObject *self, PyObject *const *args, Py_ssize_t count, bool key,
                     enum result form)
{
    struct call call = {.conn = ((struct handle *)self)->conn,
                        .source = self,
                        .named = true,
                        .args = args,
                        .count = count,
                        .key = key,
                        .form = form};
    if (call.conn == NULL) {
        PyErr_SetString(PyExc_ValueError, "the proxy has not been initialised");
        return NULL;
    }
    return call_run(&call);
}

static PyObject *handle_call(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
    return run(self, args, count, false, RESULT_VALUE);
}

static PyObject *handle_first(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
    return run(self, args, count, false, RESULT_FIRST);
}

static PyObject *handle_call_key(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
    return run(self, args, count, true, RESULT_VALUE);
}

static PyObject *handle_keys(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
    return run(self, args, count, false, RESULT_KEYS);
}

static PyObject *handle_pair(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
    return run(self, args, count, false, RESULT_PAIR);
}

static PyObject *handle_pairs(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
    return run(self, args, count, false, RESULT_PAIRS);
}

static PyObject *handle_scan(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
    return run(self, args, count, false, RESULT_SCAN);
}

static PyObject *handle_start(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
    if (count < 4) {
        PyErr_SetString(PyExc_TypeError, "_start() takes done, key, form, method, params");
        return NULL;
    }
    struct call call = {.conn = ((struct handle *)self)->conn,
                        .source = self,
                        .named = true,
                        .args = args + 3,
                        .count = count - 3,
                        .key = PyObject_IsTrue(args[1]) == 1,
                        .form = (enum result)PyLong_AsLong(args[2])};
    if (call.conn == NULL) {
        PyErr_SetString(PyExc_ValueError, "the proxy has not been initialised");
    }
    return PyErr_Occurred() ? NULL : call_start(&call, args[0]);
}

static PyObject *handle_post(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
    struct call call = {.conn = ((struct handle *)self)->conn,
                        .source = self,
                        .named = true,
                        .args = args,
                        .count = count};
    if (call.conn == NULL) {
        PyErr_SetString(PyExc_ValueError, "the proxy has not been initialised");
        return NULL;
    }
    int stuck = call_post(&call);
    if (stuck < 0) {
        return NULL;
    }
    return PyLong_FromLongLong(stuck ? -1 : atomic_load(&call.conn->posted->waiting));
}

/* ---- the type -------------------------------------------------------------------------------- */

int handle_init(PyObject *self, PyObject *args, PyObject *kwargs)
{
    struct handle *handle = (struct handle *)self;
    PyObject *conn;
    PyObject *name;
    if (!PyArg_ParseTuple(args, "OS", &conn, &name)) {
        return -1;
    }
    if (handle->conn != NULL) {
        PyErr_SetString(PyExc_ValueError, "the proxy has been initialised already");
        return -1;
    }
    if (!connection_is(conn)) {
        PyErr_SetString(PyExc_TypeError, "a proxy needs a Connection");
        return -1;
    }
    Py_INCREF(conn);
    handle->conn = (struct connection *)conn;
    Py_INCREF(name);
    handle->name = name;
    return 0;
}

void handle_dealloc(PyObject *self)
{
    struct handle *handle = (struct handle *)self;
    ipcc_ahead_free(handle->ahead);
    Py_XDECREF((PyObject *)handle->conn);
    Py_XDECREF(handle->name);
    instance_free(self);
}

static PyObject *handle_connection(PyObject *self, void *unused)
{
    PyObject *conn = (PyObject *)((struct handle *)self)->conn;
    conn = conn != NULL ? conn : Py_None;
    Py_INCREF(conn);
    return conn;
}

static PyObject *handle_name(PyObject *self, void *unused)
{
    PyObject *name = ((struct handle *)self)->name;
    name = name != NULL ? name : Py_None;
    Py_INCREF(name);
    return name;
}

#define FAST(function) ((PyCFunction)(void (*)(void))(function))

static PyMethodDef methods[] = {
    {"_call", FAST(handle_call), METH_FASTCALL,
     "_call(method, *params)\n--\n\nCalls a method of the object and waits for its result."},
    {"_first", FAST(handle_first), METH_FASTCALL, "_call, for the first element of the result."},
    {"_get", FAST(handle_get), METH_FASTCALL,
     "_get(method, *params)\n--\n\n_first, of queue.get: the item is one that the daemon has "
     "reserved, "
     "if there is one.\nRaises what calls of _post have failed with."},
    {"_call_key", FAST(handle_call_key), METH_FASTCALL, "_call, where the first param is a key."},
    {"_keys", FAST(handle_keys), METH_FASTCALL, "_call, for an array of keys."},
    {"_pair", FAST(handle_pair), METH_FASTCALL, "_call, for a tuple of key and value."},
    {"_pairs", FAST(handle_pairs), METH_FASTCALL, "_call, for a list of those."},
    {"_scan", FAST(handle_scan), METH_FASTCALL, "_call, for (cursor, a list of those)."},
    {"_start", FAST(handle_start), METH_FASTCALL,
     "_start(done, key, form, method, *params)\n--\n\n"
     "Connection.start with the name as the first param. key: whether the next one is a key."},
    {"_post", FAST(handle_post), METH_FASTCALL,
     "_post(method, *params)\n--\n\nSends a call and does not wait for its result, which is "
     "dropped; an error is kept\nfor Connection.posted(), and raised by the next _post. Returns "
     "how many are not answered;\n-1: the socket has not taken all of it, and the rest leaves at "
     "the next call."},
    {NULL, NULL, 0, NULL}};

static PyGetSetDef fields[] = {{"_connection", handle_connection, NULL, "The Connection.", NULL},
                               {"_name", handle_name, NULL, "The object's name, as bytes.", NULL},
                               {NULL, NULL, NULL, NULL, NULL}};

PyDoc_STRVAR(type_doc, "Handle(connection, name)\n--\n\nAn object of the daemon's, by its name "
                       "(bytes): what proxies inherit.");

int handle_ready(PyObject *module)
{
    PyType_Slot slots[] = {{Py_tp_init, (void *)(uintptr_t)handle_init},
                           {Py_tp_dealloc, (void *)(uintptr_t)handle_dealloc},
                           {Py_tp_methods, methods},
                           {Py_tp_getset, fields},
                           {Py_tp_doc, (void *)(uintptr_t)type_doc},
                           {0, NULL}};
    PyType_Spec spec = {.name = "ipcd._core.Handle",
                        .basicsize = sizeof(struct handle),
                        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
                        .slots = slots};
    return add_type(module, "Handle", &spec);
}
