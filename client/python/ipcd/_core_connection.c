/*
 * _core_connection: connections as Python objects: made, closed, made anew after a fork.
 *
 * A thread that is in a call has let go of the GIL and uses `ipcc`; so it is counted in `users`,
 * and a connection that is closed meanwhile is only ended, which ends those calls, and freed by the
 * last of them.
 */
#include "_core.h"

#include <stdlib.h>

/* ---- opening and closing --------------------------------------------------------------------- */

static const char *text_of(PyObject *bytes)
{
    return bytes != NULL ? PyBytes_AsString(bytes) : NULL;
}

/* Opens a session. -1 with an exception. */
static int session_open(struct connection *conn)
{
    struct ipcc_options options = {.path = text_of(conn->path),
                                   .client = text_of(conn->client),
                                   .client_version = text_of(conn->version),
                                   .connect_timeout_ms = conn->connect_timeout_ms,
                                   .reconnect = conn->reconnect,
                                   .embedded = conn->embedded,
                                   .spin = true};
    struct ipcc *ipcc = NULL;
    PyThreadState *thread = PyEval_SaveThread();
    int status = ipcc_open(&ipcc, &options);
    PyEval_RestoreThread(thread);
    if (status < 0) {
        (void)raise_last(&conn->hooks, status);
        return -1;
    }
    conn->ipcc = ipcc;
    return 0;
}

/* Notes where the daemon is, so that a child of a fork finds the same one. -1 with an exception. */
static int note_path(struct connection *conn)
{
    char path[IPCC_ADDRESS_SIZE];
    int status = ipcc_address(conn->ipcc, path, sizeof(path));
    if (status < 0) {
        (void)raise_last(&conn->hooks, status);
        return -1;
    }
    Py_XDECREF(conn->path);
    conn->path = PyBytes_FromString(path);
    return conn->path != NULL ? 0 : -1;
}

static void session_close(struct connection *conn)
{
    struct ipcc *ipcc = conn->ipcc;
    conn->ipcc = NULL;
    (void)ipcc_close(ipcc);
}

struct ipcc *connection_enter(struct connection *conn)
{
    if (conn->ipcc == NULL || conn->closing) {
        (void)raise_status(&conn->hooks, IPCC_ERR_LOST, "the connection is closed", NULL);
        return NULL;
    }
    conn->users++;
    return conn->ipcc;
}

void connection_leave(struct connection *conn)
{
    conn->users--;
    if (conn->users == 0 && conn->closing) {
        session_close(conn);
    }
}

int connection_renew(struct connection *conn)
{
    /* Threads of the parent are not here, nor are answers to what it has posted. */
    conn->users = 0;
    atomic_store(&conn->posted->waiting, 0);
    atomic_store(&conn->posted->error, 0);
    struct ipcc *parents = conn->ipcc;
    if (session_open(conn) < 0) {
        return -1;
    }
    (void)ipcc_close(parents);
    return 0;
}

PyDoc_STRVAR(close_doc, "close()\n--\n\nEnds the session; threads that wait in calls get "
                        "ConnectionError.");

static PyObject *connection_close(PyObject *self, PyObject *unused)
{
    struct connection *conn = (struct connection *)self;
    if (conn->ipcc == NULL || conn->closing) {
        Py_RETURN_NONE;
    }
    if (conn->users > 0) {
        conn->closing = true;
        (void)ipcc_disconnect(conn->ipcc);
    } else {
        session_close(conn);
    }
    Py_RETURN_NONE;
}

PyDoc_STRVAR(renew_doc, "renew()\n--\n\nIn a child of a fork: opens a session of its own.");

static PyObject *connection_renew_method(PyObject *self, PyObject *unused)
{
    struct connection *conn = (struct connection *)self;
    if (conn->ipcc == NULL || conn->closing) {
        Py_RETURN_NONE;
    }
    if (connection_renew(conn) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

/* ---- the type -------------------------------------------------------------------------------- */

static int fill(struct connection *conn, PyObject *hooks, PyObject *path, PyObject *client,
                PyObject *version)
{
    if (hooks_take(&conn->hooks, hooks) < 0) {
        return -1;
    }
    if (path != Py_None) {
        Py_INCREF(path);
        conn->path = path;
    }
    Py_INCREF(client);
    conn->client = client;
    Py_INCREF(version);
    conn->version = version;
    conn->posted = calloc(1, sizeof(*conn->posted));
    if (conn->posted == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    if (text_of(conn->path) == NULL && PyErr_Occurred()) {
        return -1;
    }
    return text_of(client) != NULL && text_of(version) != NULL ? 0 : -1;
}

static PyObject *connection_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *hooks;
    PyObject *path;
    PyObject *client;
    PyObject *version;
    long long timeout;
    int reconnect;
    int embedded;
    if (!PyArg_ParseTuple(args, "O!OOOLpp", &PyTuple_Type, &hooks, &path, &client, &version,
                          &timeout, &reconnect, &embedded)) {
        return NULL;
    }
    struct connection *conn = (struct connection *)instance_new(type);
    if (conn == NULL) {
        return NULL;
    }
    conn->connect_timeout_ms = timeout;
    conn->reconnect = reconnect;
    conn->embedded = embedded;
    if (fill(conn, hooks, path, client, version) < 0 || session_open(conn) < 0 ||
        note_path(conn) < 0) {
        Py_DECREF((PyObject *)conn);
        return NULL;
    }
    return (PyObject *)conn;
}

static void connection_dealloc(PyObject *self)
{
    struct connection *conn = (struct connection *)self;
    if (conn->ipcc != NULL) {
        session_close(conn);
    }
    free(conn->posted);
    hooks_clear(&conn->hooks);
    Py_XDECREF(conn->path);
    Py_XDECREF(conn->client);
    Py_XDECREF(conn->version);
    Py_XDECREF(conn->told);
    instance_free(self);
}

bool connection_is(PyObject *object)
{
    return (uintptr_t)PyType_GetSlot(Py_TYPE(object), Py_tp_dealloc) ==
           (uintptr_t)connection_dealloc;
}

/* ---- calls ----------------------------------------------------------------------------------- */

PyDoc_STRVAR(call_doc,
             "call(source, method, *params)\n--\n\nCalls a method by its name (bytes) and "
             "waits for its result.\nsource: what decode is told of, and whose _undo is "
             "called; or None.");

static PyObject *connection_call(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
    if (count < 2) {
        PyErr_SetString(PyExc_TypeError, "call() takes source, method, params");
        return NULL;
    }
    struct call call = {.conn = (struct connection *)self,
                        .source = args[0] != Py_None ? args[0] : NULL,
                        .args = args + 1,
                        .count = count - 1};
    return call_run(&call);
}

PyDoc_STRVAR(
    start_doc,
    "start(done, source, form, method, *params)\n--\n\n"
    "Starts a call and returns its id, for cancel(). done(result, exception) is called "
    "once, in\nwhichever thread reads: in process(), close(), or a call that waits. It must "
    "not wait itself.\nform: what is made of the result: one of the numbers RESULT_…. It "
    "leaves at the next flush(),\nprocess() or call.");

static PyObject *connection_start(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
    if (count < 4) {
        PyErr_SetString(PyExc_TypeError, "start() takes done, source, form, method, params");
        return NULL;
    }
    struct call call = {.conn = (struct connection *)self,
                        .source = args[1] != Py_None ? args[1] : NULL,
                        .args = args + 3,
                        .count = count - 3,
                        .form = (enum result)PyLong_AsLong(args[2])};
    return PyErr_Occurred() ? NULL : call_start(&call, args[0]);
}

PyDoc_STRVAR(posted_doc,
             "posted()\n--\n\n(How many calls of handles' _post are not answered, the first error "
             "among those that\nwere since this was last asked, as (code, message), or None.)");

static PyObject *connection_posted(PyObject *self, PyObject *unused)
{
    struct posted *posted = ((struct connection *)self)->posted;
    long long waiting = atomic_load(&posted->waiting);
    int error = atomic_load(&posted->error);
    if (error >= 0) {
        return Py_BuildValue("LO", waiting, Py_None);
    }
    PyObject *result = Py_BuildValue("L(ss)", waiting, ipcc_error_name(error), posted->message);
    atomic_store(&posted->error, 0);
    return result;
}

/* ---- what is known of the session ------------------------------------------------------------ */

PyDoc_STRVAR(session_doc, "session()\n--\n\nThe session's number at the daemon.");

static PyObject *connection_session(PyObject *self, PyObject *unused)
{
    struct connection *conn = (struct connection *)self;
    uint64_t number;
    struct ipcc *ipcc = connection_enter(conn);
    if (ipcc == NULL) {
        return NULL;
    }
    int status = ipcc_session(ipcc, &number);
    connection_leave(conn);
    return status < 0 ? raise_last(&conn->hooks, status) : PyLong_FromUnsignedLongLong(number);
}

PyDoc_STRVAR(address_doc, "address()\n--\n\nThe path of the daemon's socket, as bytes.");

static PyObject *connection_address(PyObject *self, PyObject *unused)
{
    PyObject *path = ((struct connection *)self)->path;
    Py_INCREF(path);
    return path;
}

#define FAST(function) ((PyCFunction)(void (*)(void))(function))

static PyMethodDef methods[] = {
    {"call", FAST(connection_call), METH_FASTCALL, call_doc},
    {"start", FAST(connection_start), METH_FASTCALL, start_doc},
    {"posted", connection_posted, METH_NOARGS, posted_doc},
    {"session", connection_session, METH_NOARGS, session_doc},
    {"address", connection_address, METH_NOARGS, address_doc},
    {"close", connection_close, METH_NOARGS, close_doc},
    {"renew", connection_renew_method, METH_NOARGS, renew_doc},
    {"fileno", connection_fileno, METH_NOARGS, "The descriptor to watch; -1 if there is none."},
    {"events", connection_events, METH_NOARGS, "What to watch it for, as select.poll has it."},
    {"next_timeout", connection_next_timeout, METH_NOARGS,
     "Milliseconds until process() is to be called in any case; -1: never."},
    {"process", connection_process, METH_O,
     "process(revents)\n--\n\nSends, reads, and tells of calls that are done."},
    {"flush", connection_flush, METH_NOARGS, "Sends what has been started and posted."},
    {"cancel", connection_cancel, METH_O, "cancel(id)\n--\n\nAsks the daemon to end a wait."},
    {"on_event", connection_on_event, METH_O,
     "on_event(told)\n--\n\nCalls told(name, event, detail) for each event of watched objects."},
    {NULL, NULL, 0, NULL}};

PyDoc_STRVAR(
    type_doc,
    "Connection(hooks, path, client, version, connect_timeout_ms, reconnect, embedded)\n--\n\n"
    "A session at the daemon. Many threads may use it at once, each in a call of its own.");

int connection_ready(PyObject *module)
{
    PyType_Slot slots[] = {{Py_tp_new, (void *)(uintptr_t)connection_new},
                           {Py_tp_dealloc, (void *)(uintptr_t)connection_dealloc},
                           {Py_tp_methods, methods},
                           {Py_tp_doc, (void *)(uintptr_t)type_doc},
                           {0, NULL}};
    PyType_Spec spec = {.name = "ipcd._core.Connection",
                        .basicsize = sizeof(struct connection),
                        .flags = Py_TPFLAGS_DEFAULT,
                        .slots = slots};
    return add_type(module, "Connection", &spec);
}
