/*
 * _core_ahead: getting items of a queue that the daemon has reserved for this session, without a
 * call.
 */
#include "_core.h"

struct ipcc_ahead *handle_ahead(struct handle *handle)
{
    struct ipcc *ipcc = handle->conn->ipcc;
    if (handle->ahead_of != ipcc) { /* that of the parent process, or none yet */
        ipcc_ahead_free(handle->ahead);
        handle->ahead = NULL;
        handle->ahead_of = ipcc;
        (void)ipcc_ahead_new(ipcc, &handle->ahead);
    }
    return handle->ahead;
}

PyObject *handle_get(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
    struct handle *handle = (struct handle *)self;
    struct call call = {.conn = handle->conn,
                        .source = self,
                        .named = true,
                        .args = args,
                        .count = count,
                        .ahead = true,
                        .form = RESULT_FIRST};
    if (call.conn == NULL || count < 1) {
        PyErr_SetString(PyExc_ValueError, "the proxy has not been initialised");
        return NULL;
    }
    if (call_raise_posted(call.conn)) {
        return NULL;
    }
    struct ipcc_reply reply;
    if (call.conn->ipcc != NULL && !call.conn->closing && handle->ahead_of == call.conn->ipcc &&
        handle->ahead != NULL && ipcc_ahead_take(handle->ahead, &reply) == 0) {
        return call_taken(&call, &reply);
    }
    return call_run(&call);
}
