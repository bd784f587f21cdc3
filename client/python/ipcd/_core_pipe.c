/*
 * _core_pipe: an end of a pipe: values that run between two processes without the daemon. Nothing
 * here waits: who wants to waits for the descriptor, and asks again.
 */
#include "_core.h"

struct pipe_end {
    PyObject_HEAD struct hooks hooks;
    struct ipcc_pipe_end *end; /* NULL: closed */
    unsigned users;            /* calls that use it without the GIL; the last one closes it */
    bool closing;
};

static struct ipcc_pipe_end *enter(struct pipe_end *pipe)
{
    if (pipe->end == NULL || pipe->closing) {
        PyErr_SetString(PyExc_OSError, "handle is closed");
        return NULL;
    }
    pipe->users++;
    return pipe->end;
}

static void leave(struct pipe_end *pipe)
{
    pipe->users--;
    if (pipe->users == 0 && pipe->closing) {
        (void)ipcc_pipe_end_close(pipe->end);
        pipe->end = NULL;
    }
}

PyDoc_STRVAR(send_doc, "send(object)\n--\n\nSends a value. False: the socket is full; nothing was "
                       "sent.");

static PyObject *pipe_send(PyObject *self, PyObject *object)
{
    struct pipe_end *pipe = (struct pipe_end *)self;
    struct params params = {.count = 0};
    struct ipcc_pipe_end *end = enter(pipe);
    if (end == NULL) {
        return NULL;
    }
    int status = 1;
    if (params_add(&params, &pipe->hooks, object, false) == 0) {
        PyThreadState *thread = PyEval_SaveThread();
        status = ipcc_pipe_send(end, params.values[0], 0);
        PyEval_RestoreThread(thread);
    }
    params_free(&params);
    leave(pipe);
    if (status == 1) {
        return NULL;
    }
    return status == 0 || status == IPCC_ERR_TIMEOUT ? PyBool_FromLong(status == 0)
                                                     : raise_last(&pipe->hooks, status);
}

PyDoc_STRVAR(receive_doc, "receive(default)\n--\n\nThe next value; the default: none has come.");

static PyObject *pipe_receive(PyObject *self, PyObject *none)
{
    struct pipe_end *pipe = (struct pipe_end *)self;
    struct ipcc_reply reply;
    struct ipcc_pipe_end *end = enter(pipe);
    if (end == NULL) {
        return NULL;
    }
    PyThreadState *thread = PyEval_SaveThread();
    int status = ipcc_pipe_receive(end, 0, &reply);
    PyEval_RestoreThread(thread);
    leave(pipe);
    if (status == IPCC_ERR_TIMEOUT) {
        Py_INCREF(none);
        return none;
    }
    if (status < 0) {
        return raise_last(&pipe->hooks, status);
    }
    struct unpack unpack = {.hooks = &pipe->hooks, .source = self, .reply = &reply};
    PyObject *object = unpack_result(&unpack, &reply.value, RESULT_VALUE);
    ipcc_reply_free(&reply);
    return object;
}

static PyObject *pipe_ready(PyObject *self, PyObject *unused)
{
    struct pipe_end *pipe = (struct pipe_end *)self;
    bool ready;
    struct ipcc_pipe_end *end = enter(pipe);
    if (end == NULL) {
        return NULL;
    }
    PyThreadState *thread = PyEval_SaveThread();
    int status = ipcc_pipe_poll(end, 0, &ready);
    PyEval_RestoreThread(thread);
    leave(pipe);
    if (status == IPCC_ERR_TIMEOUT) {
        Py_RETURN_FALSE;
    }
    return status < 0 ? raise_last(&pipe->hooks, status) : PyBool_FromLong(ready);
}

static PyObject *pipe_fileno(PyObject *self, PyObject *unused)
{
    struct pipe_end *pipe = (struct pipe_end *)self;
    struct ipcc_pipe_end *end = enter(pipe);
    if (end == NULL) {
        return NULL;
    }
    int fd = ipcc_pipe_end_fd(end);
    leave(pipe);
    return PyLong_FromLong(fd);
}

static PyObject *pipe_close(PyObject *self, PyObject *unused)
{
    struct pipe_end *pipe = (struct pipe_end *)self;
    if (pipe->end != NULL) {
        pipe->closing = true;
        pipe->users++;
        leave(pipe);
    }
    Py_RETURN_NONE;
}

static PyObject *pipe_closed(PyObject *self, void *unused)
{
    struct pipe_end *pipe = (struct pipe_end *)self;
    return PyBool_FromLong(pipe->end == NULL || pipe->closing);
}

/* ---- the type -------------------------------------------------------------------------------- */

static PyObject *pipe_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *hooks;
    int fd;
    int direction;
    Py_ssize_t max_message;
    if (!PyArg_ParseTuple(args, "O!iin", &PyTuple_Type, &hooks, &fd, &direction, &max_message)) {
        return NULL;
    }
    struct pipe_end *pipe = (struct pipe_end *)instance_new(type);
    if (pipe == NULL) {
        return NULL;
    }
    struct ipcc_pipe_end_options options = {.direction = (enum ipcc_direction)direction,
                                            .max_message = (size_t)max_message};
    if (hooks_take(&pipe->hooks, hooks) < 0) {
        Py_DECREF((PyObject *)pipe);
        return NULL;
    }
    int status = ipcc_pipe_end_open(fd, &options, &pipe->end);
    if (status < 0) {
        (void)raise_last(&pipe->hooks, status);
        Py_DECREF((PyObject *)pipe);
        return NULL;
    }
    return (PyObject *)pipe;
}

static void pipe_dealloc(PyObject *self)
{
    struct pipe_end *pipe = (struct pipe_end *)self;
    (void)ipcc_pipe_end_close(pipe->end);
    hooks_clear(&pipe->hooks);
    instance_free(self);
}

static PyMethodDef methods[] = {
    {"_send", pipe_send, METH_O, send_doc},
    {"_receive", pipe_receive, METH_O, receive_doc},
    {"_ready", pipe_ready, METH_NOARGS, "Whether a value can be received, or the end."},
    {"fileno", pipe_fileno, METH_NOARGS, "The socket's descriptor."},
    {"close", pipe_close, METH_NOARGS, "Closes this end; the other one receives what was sent."},
    {NULL, NULL, 0, NULL}};

static PyGetSetDef fields[] = {{"closed", pipe_closed, NULL, "True if it is closed.", NULL},
                               {NULL, NULL, NULL, NULL, NULL}};

int pipe_end_ready(PyObject *module)
{
    PyType_Slot slots[] = {
        {Py_tp_new, (void *)(uintptr_t)pipe_new},
        {Py_tp_dealloc, (void *)(uintptr_t)pipe_dealloc},
        {Py_tp_methods, methods},
        {Py_tp_getset, fields},
        {Py_tp_doc, (void *)(uintptr_t) "PipeEnd(hooks, fd, direction, max_message)\n--\n\n"
                                        "An end of a pipe, which has the descriptor from now on. "
                                        "direction: 0, or 1: receives\nonly, or 2: sends only."},
        {0, NULL}};
    PyType_Spec spec = {.name = "ipcd._core.PipeEnd",
                        .basicsize = sizeof(struct pipe_end),
                        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
                        .slots = slots};
    return add_type(module, "PipeEnd", &spec);
}
