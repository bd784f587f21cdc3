/*
 * _core_loop: the methods of connections for programs with an event loop, and the events of watched
 * objects.
 */
#include "_core.h"

/* The connection for a short use, or NULL with an exception. */
static struct ipcc *enter(PyObject *self)
{
    return connection_enter((struct connection *)self);
}

static void leave(PyObject *self)
{
    connection_leave((struct connection *)self);
}

PyObject *connection_fileno(PyObject *self, PyObject *unused)
{
    struct ipcc *ipcc = enter(self);
    if (ipcc == NULL) {
        return NULL;
    }
    int fd = ipcc_fd(ipcc);
    leave(self);
    return PyLong_FromLong(fd);
}

PyObject *connection_events(PyObject *self, PyObject *unused)
{
    struct ipcc *ipcc = enter(self);
    if (ipcc == NULL) {
        return NULL;
    }
    int events = ipcc_events(ipcc);
    leave(self);
    return PyLong_FromLong(events);
}

PyObject *connection_next_timeout(PyObject *self, PyObject *unused)
{
    struct ipcc *ipcc = enter(self);
    if (ipcc == NULL) {
        return NULL;
    }
    int timeout = ipcc_next_timeout(ipcc);
    leave(self);
    return PyLong_FromLong(timeout);
}

PyObject *connection_process(PyObject *self, PyObject *revents)
{
    int events = (int)PyLong_AsLong(revents);
    struct ipcc *ipcc = PyErr_Occurred() ? NULL : enter(self);
    if (ipcc == NULL) {
        return NULL;
    }
    PyThreadState *thread = PyEval_SaveThread();
    int status = ipcc_process(ipcc, events);
    PyEval_RestoreThread(thread);
    leave(self);
    if (status < 0) {
        return raise_last(&((struct connection *)self)->hooks, status);
    }
    Py_RETURN_NONE;
}

PyObject *connection_flush(PyObject *self, PyObject *unused)
{
    struct ipcc *ipcc = enter(self);
    if (ipcc == NULL) {
        return NULL;
    }
    PyThreadState *thread = PyEval_SaveThread();
    int status = ipcc_flush(ipcc);
    PyEval_RestoreThread(thread);
    leave(self);
    if (status < 0) {
        return raise_last(&((struct connection *)self)->hooks, status);
    }
    Py_RETURN_NONE;
}

PyObject *connection_cancel(PyObject *self, PyObject *id)
{
    unsigned long long number = PyLong_AsUnsignedLongLong(id);
    struct ipcc *ipcc = PyErr_Occurred() ? NULL : enter(self);
    if (ipcc == NULL) {
        return NULL;
    }
    int status = ipcc_cancel(ipcc, number);
    leave(self);
    return PyBool_FromLong(status == 0);
}

/* ---- events ---------------------------------------------------------------------------------- */

static void tell(struct connection *conn, const struct ipcc_watch_event *event)
{
    struct unpack unpack = {.hooks = &conn->hooks};
    PyObject *told = conn->told;
    if (told == NULL) {
        return;
    }
    Py_INCREF(told);
    PyObject *detail = unpack_result(&unpack, event->detail, RESULT_VALUE);
    PyObject *done = detail != NULL
                         ? PyObject_CallFunction(told, "ssO", event->object, event->event, detail)
                         : NULL;
    if (done == NULL) {
        PyErr_WriteUnraisable(told);
    }
    Py_XDECREF(done);
    Py_XDECREF(detail);
    Py_DECREF(told);
}

static void tell_event(struct ipcc *ipcc, const struct ipcc_watch_event *event, void *data)
{
    PyGILState_STATE gil = PyGILState_Ensure();
    tell(data, event);
    PyGILState_Release(gil);
}

PyObject *connection_on_event(PyObject *self, PyObject *told)
{
    struct connection *conn = (struct connection *)self;
    struct ipcc *ipcc = connection_enter(conn);
    if (ipcc == NULL) {
        return NULL;
    }
    PyObject *before = conn->told;
    Py_INCREF(told);
    conn->told = told;
    Py_XDECREF(before);
    int status = ipcc_on_watch_event(ipcc, tell_event, conn);
    connection_leave(conn);
    if (status < 0) {
        return raise_last(&conn->hooks, status);
    }
    Py_RETURN_NONE;
}
