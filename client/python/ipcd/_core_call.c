/*
 * _core_call: calls by name: packed, sent, waited for without the GIL, unpacked.
 *
 * Python handles signals where it runs, so a wait that a signal interrupts asks it, in `signalled`.
 * If the handler raises, as that of SIGINT does, the call is cancelled at the daemon. Should its
 * result be on the way just then, it is not for a program that sees an exception: the
 * method _undo of its source gives it back. It does so too with what a call has taken and `decode`
 * refuses.
 */
#include "_core.h"

#include <msgpack.h>
#include <poll.h>
#include <stdlib.h>

/* An exception that is not set just now. */
struct exception {
    PyObject *type; /* NULL: none */
    PyObject *value;
    PyObject *traceback;
};

static void exception_take(struct exception *exception)
{
    PyErr_Fetch(&exception->type, &exception->value, &exception->traceback);
}

static void exception_set(const struct exception *exception)
{
    PyErr_Restore(exception->type, exception->value, exception->traceback);
}

/* ---- params ---------------------------------------------------------------------------------- */

/* The params of a call: the handle's name, if there is one, and the arguments behind the method. */
static int pack_params(const struct call *call, struct params *params)
{
    *params = (struct params){.count = 0};
    if (call->named) {
        char *name;
        Py_ssize_t length;
        PyObject *bytes = ((struct handle *)call->source)->name;
        if (PyBytes_AsStringAndSize(bytes, &name, &length) < 0) {
            return -1;
        }
        params->values[params->count++] = ipcc_strn(name, (size_t)length);
    }
    for (Py_ssize_t i = 1; i < call->count; i++) {
        if (params_add(params, &call->conn->hooks, call->args[i], call->key && i == 1) < 0) {
            params_free(params);
            return -1;
        }
    }
    return 0;
}

static const char *method_of(const struct call *call)
{
    if (call->count < 1) {
        PyErr_SetString(PyExc_TypeError, "a call needs the name of a method");
        return NULL;
    }
    return PyBytes_AsString(call->args[0]);
}

/* ---- waiting --------------------------------------------------------------------------------- */

/* A thread that waits without the GIL. */
struct waiting {
    PyThreadState *thread;
    struct exception exception; /* of a signal's handler */
};

static bool signalled(void *data)
{
    struct waiting *waiting = data;
    PyEval_RestoreThread(waiting->thread);
    bool raised = PyErr_CheckSignals() < 0;
    if (raised) {
        struct exception before = waiting->exception;
        exception_take(&waiting->exception);
        Py_XDECREF(before.type);
        Py_XDECREF(before.value);
        Py_XDECREF(before.traceback);
    }
    waiting->thread = PyEval_SaveThread();
    return raised;
}

/* Of a queue.get: the options that ask for more than one item, behind a timeout. Without the GIL.
 */
static void ask_ahead(struct ipcc_ahead *ahead, struct params *params)
{
    struct ipcc_value options = ipcc_ahead_options(ahead);
    if (options.kind != IPCC_NONE) {
        while (params->count < 2) {
            params->values[params->count++] = ipcc_nil();
        }
        params->values[params->count++] = options;
    }
}

/* One attempt. FORKED: nothing was sent. 1: there is an exception. */
static int attempt(const struct call *call, const char *method, struct params *params,
                   struct waiting *waiting, struct ipcc_reply *reply)
{
    struct ipcc_request request = {.method = method,
                                   .params = params->values,
                                   .interrupted = signalled,
                                   .interrupted_data = waiting};
    struct ipcc *ipcc = connection_enter(call->conn);
    if (ipcc == NULL) {
        return 1;
    }
    struct ipcc_ahead *ahead = call->ahead ? handle_ahead((struct handle *)call->source) : NULL;
    size_t count = params->count;
    waiting->thread = PyEval_SaveThread();
    if (ahead != NULL) {
        ask_ahead(ahead, params);
    }
    request.nparams = params->count;
    int status = ipcc_call_request(ipcc, &request, reply);
    if (ahead != NULL && status == 0) {
        ipcc_ahead_keep(ahead, reply);
    }
    params->count = count;
    PyEval_RestoreThread(waiting->thread);
    if (status != IPCC_ERR_FORKED) {
        connection_leave(call->conn);
    }
    return status;
}

/* ---- results --------------------------------------------------------------------------------- */

/* The encoding of a value of a reply, as bytes. */
static PyObject *raw_value(const struct hooks *hooks, const struct ipcc_value *value)
{
    if (value->kind == IPCC_RAW) {
        return PyBytes_FromStringAndSize(value->as.data, (Py_ssize_t)value->length);
    }
    struct unpack unpack = {.hooks = hooks};
    msgpack_sbuffer buffer;
    PyObject *raw = NULL;
    PyObject *scalar = unpack_result(&unpack, value, RESULT_VALUE);
    msgpack_sbuffer_init(&buffer);
    if (scalar != NULL && pack_object(&buffer, hooks, scalar, false) == PACK_DONE) {
        raw = PyBytes_FromStringAndSize(buffer.data, (Py_ssize_t)buffer.size);
    }
    msgpack_sbuffer_destroy(&buffer);
    Py_XDECREF(scalar);
    return raw;
}

/* Gives back what came of a call whose result the program will not see: _undo(method, params,
 * encoded result). The exception that is set stays so. */
static void undo(const struct call *call, const struct ipcc_reply *reply)
{
    struct exception exception;
    if (call->source == NULL) {
        return;
    }
    exception_take(&exception);
    PyObject *raw = raw_value(&call->conn->hooks, &reply->value);
    PyObject *params = PyTuple_New(call->count - 1);
    for (Py_ssize_t i = 1; params != NULL && i < call->count; i++) {
        Py_INCREF(call->args[i]);
        (void)PyTuple_SetItem(params, i - 1, call->args[i]);
    }
    PyObject *done = NULL;
    if (raw != NULL && params != NULL) {
        done = PyObject_CallMethod(call->source, "_undo", "OOO", call->args[0], params, raw);
    }
    if (done == NULL) {
        PyErr_WriteUnraisable(call->source);
    }
    Py_XDECREF(done);
    Py_XDECREF(params);
    Py_XDECREF(raw);
    exception_set(&exception);
}

/* A failure. A session that the daemon has ended is lost, for whatever reason it gave. */
static PyObject *raise_failed(const struct call *call, int status, const struct ipcc_reply *reply)
{
    char message[512];
    uint64_t session;
    (void)snprintf(message, sizeof(message), "%s", ipcc_last_message());
    bool ended = call->conn->ipcc != NULL && !call->conn->reconnect &&
                 ipcc_session(call->conn->ipcc, &session) == IPCC_ERR_LOST;
    bool by_daemon = status > IPCC_ERR_LOST && ended;
    return raise_status(&call->conn->hooks, by_daemon ? IPCC_ERR_LOST : status, message,
                        by_daemon ? NULL : reply);
}

/* What is left to do with the answer. */
static PyObject *take_answer(const struct call *call, int status, const struct exception *exception,
                             struct ipcc_reply *reply)
{
    const struct hooks *hooks = &call->conn->hooks;
    if (exception->type != NULL) {
        exception_set(exception);
        if (status == 0) {
            undo(call, reply);
        }
        return NULL;
    }
    if (status < 0) {
        return raise_failed(call, status, reply);
    }
    struct unpack unpack = {.hooks = hooks, .source = call->source, .reply = reply};
    PyObject *result = unpack_result(&unpack, &reply->value, call->form);
    if (result == NULL && PyErr_ExceptionMatches(hooks->refused)) {
        undo(call, reply);
    } else if (result != NULL && PyErr_CheckSignals() < 0) {
        /* One that came at the same time would be handled right after this call, and what it has
         * taken be lost with its result. */
        Py_DECREF(result);
        undo(call, reply);
        return NULL;
    }
    return result;
}

PyObject *call_taken(const struct call *call, struct ipcc_reply *reply)
{
    struct exception none = {NULL, NULL, NULL};
    PyObject *result = take_answer(call, 0, &none, reply);
    ipcc_reply_free(reply);
    return result;
}

PyObject *call_run(const struct call *call)
{
    struct params params;
    const char *method = method_of(call);
    if (method == NULL || pack_params(call, &params) < 0) {
        return NULL;
    }
    struct ipcc_reply reply = {.value = {IPCC_NONE, 0, {0}}};
    struct waiting waiting = {.exception = {NULL, NULL, NULL}};
    int status = attempt(call, method, &params, &waiting, &reply);
    while (status == IPCC_ERR_FORKED) {
        status =
            connection_renew(call->conn) < 0 ? 1 : attempt(call, method, &params, &waiting, &reply);
    }
    PyObject *result = status == 1 ? NULL : take_answer(call, status, &waiting.exception, &reply);
    ipcc_reply_recycle(call->conn->ipcc, &reply);
    params_free(&params);
    return result;
}

/* ---- calls that are not waited for ----------------------------------------------------------- */

/* Sends. 1: there is an exception. */
static int start(const struct call *call, ipcc_done_fn *done, void *data, ipcc_call_id *id)
{
    struct params params;
    const char *method = method_of(call);
    struct ipcc *ipcc = method != NULL ? connection_enter(call->conn) : NULL;
    if (ipcc == NULL) {
        return 1;
    }
    int status = 1;
    if (pack_params(call, &params) == 0) {
        struct ipcc_request request = {
            .method = method, .params = params.values, .nparams = params.count};
        status = ipcc_call_async(ipcc, &request, done, data, id);
        params_free(&params);
    }
    connection_leave(call->conn);
    return status;
}

/* start, in a child of a fork, too. -1 with an exception. */
static int start_anywhere(const struct call *call, ipcc_done_fn *done, void *data, ipcc_call_id *id)
{
    int status = start(call, done, data, id);
    if (status == IPCC_ERR_FORKED) {
        status = connection_renew(call->conn) < 0 ? 1 : start(call, done, data, id);
    }
    if (status < 0) {
        (void)raise_last(&call->conn->hooks, status);
    }
    return status == 0 ? 0 : -1;
}

/* Who is told of a call. */
struct told {
    struct connection *conn; /* owned, as all of these */
    PyObject *source;        /* or NULL */
    PyObject *done;
    enum result form;
    Py_ssize_t count;
    PyObject *args[]; /* struct call's, for `undo` */
};

static void told_free(struct told *told)
{
    Py_DECREF((PyObject *)told->conn);
    Py_XDECREF(told->source);
    Py_DECREF(told->done);
    for (Py_ssize_t i = 0; i < told->count; i++) {
        Py_DECREF(told->args[i]);
    }
    free(told);
}

/* The exception that is set, as an object; it is set no more. */
static PyObject *taken_exception(void)
{
    struct exception exception;
    exception_take(&exception);
    PyErr_NormalizeException(&exception.type, &exception.value, &exception.traceback);
    Py_XDECREF(exception.type);
    Py_XDECREF(exception.traceback);
    return exception.value;
}

static void tell(struct told *told, int status, const struct ipcc_reply *reply)
{
    const struct hooks *hooks = &told->conn->hooks;
    struct unpack unpack = {.hooks = hooks, .source = told->source, .reply = reply};
    PyObject *result = status == 0 ? unpack_result(&unpack, &reply->value, told->form)
                                   : raise_status(hooks, status, ipcc_last_message(), reply);
    if (status == 0 && result == NULL && PyErr_ExceptionMatches(hooks->refused)) {
        struct call call = {
            .conn = told->conn, .source = told->source, .args = told->args, .count = told->count};
        undo(&call, reply);
    }
    PyObject *exception = result == NULL ? taken_exception() : NULL;
    PyObject *done = PyObject_CallFunctionObjArgs(told->done, result != NULL ? result : Py_None,
                                                  exception != NULL ? exception : Py_None, NULL);
    if (done == NULL) {
        PyErr_WriteUnraisable(told->done);
    }
    Py_XDECREF(done);
    Py_XDECREF(result);
    Py_XDECREF(exception);
}

static void tell_done(struct ipcc *ipcc, int status, const struct ipcc_reply *reply, void *data)
{
    PyGILState_STATE gil = PyGILState_Ensure();
    tell(data, status, reply);
    told_free(data);
    PyGILState_Release(gil);
}

PyObject *call_start(const struct call *call, PyObject *done)
{
    ipcc_call_id id;
    struct told *told = malloc(sizeof(*told) + (size_t)call->count * sizeof(told->args[0]));
    if (told == NULL) {
        return PyErr_NoMemory();
    }
    *told = (struct told){call->conn, call->source, done, call->form, call->count};
    for (Py_ssize_t i = 0; i < told->count; i++) {
        told->args[i] = call->args[i];
        Py_INCREF(told->args[i]);
    }
    Py_INCREF((PyObject *)told->conn);
    Py_XINCREF(told->source);
    Py_INCREF(told->done);
    if (start_anywhere(call, tell_done, told, &id) < 0) {
        told_free(told);
        return NULL;
    }
    return PyLong_FromUnsignedLongLong(id);
}

/* Without the GIL. */
static void post_done(struct ipcc *ipcc, int status, const struct ipcc_reply *reply, void *data)
{
    struct posted *posted = data;
    int none = 0;
    if (status < 0 && atomic_compare_exchange_strong(&posted->error, &none, 1)) {
        (void)snprintf(posted->message, sizeof(posted->message), "%s", ipcc_last_message());
        atomic_store(&posted->error, status);
    }
    atomic_fetch_sub(&posted->waiting, 1);
}

bool call_raise_posted(struct connection *conn)
{
    struct posted *posted = conn->posted;
    char message[sizeof(posted->message)];
    int error = atomic_load(&posted->error);
    if (error >= 0) {
        return false;
    }
    memcpy(message, posted->message, sizeof(message));
    atomic_store(&posted->error, 0);
    (void)raise_status(&conn->hooks, error, message, NULL);
    return true;
}

int call_post(const struct call *call)
{
    struct connection *conn = call->conn;
    if (call_raise_posted(conn) || start_anywhere(call, post_done, conn->posted, NULL) < 0) {
        return -1;
    }
    atomic_fetch_add(&conn->posted->waiting, 1);
    struct ipcc *ipcc = connection_enter(conn);
    if (ipcc == NULL) {
        return -1;
    }
    (void)ipcc_flush(ipcc); /* a connection that has ended tells post_done */
    bool stuck = (ipcc_events(ipcc) & POLLOUT) != 0;
    connection_leave(conn);
    return stuck;
}
