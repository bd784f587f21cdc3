/*
 * _core_errors: failed calls as exceptions. Which class a code has the package's Python files know.
 */
#include "_core.h"

/* The detail of an error of the daemon's, or None. It holds nothing that needs a handle. */
static PyObject *detail_of(const struct hooks *hooks, const struct ipcc_reply *detail)
{
    if (detail == NULL || detail->value.kind == IPCC_NONE) {
        Py_RETURN_NONE;
    }
    struct unpack unpack = {.hooks = hooks, .reply = detail};
    PyObject *object = unpack_result(&unpack, &detail->value, RESULT_VALUE);
    if (object == NULL) {
        PyErr_Clear();
        Py_RETURN_NONE;
    }
    return object;
}

PyObject *raise_status(const struct hooks *hooks, int status, const char *message,
                       const struct ipcc_reply *detail)
{
    if (status == IPCC_ERR_NO_MEMORY) {
        return PyErr_NoMemory();
    }
    PyObject *object = detail_of(hooks, detail);
    PyObject *text = PyUnicode_DecodeUTF8(message, (Py_ssize_t)strlen(message), "replace");
    PyObject *exception = NULL;
    if (object != NULL && text != NULL) {
        exception =
            PyObject_CallFunction(hooks->fail, "sOO", ipcc_error_name(status), text, object);
    }
    if (exception != NULL) {
        PyErr_SetObject((PyObject *)Py_TYPE(exception), exception);
    }
    Py_XDECREF(object);
    Py_XDECREF(text);
    Py_XDECREF(exception);
    return NULL;
}

PyObject *raise_last(const struct hooks *hooks, int status)
{
    return raise_status(hooks, status, ipcc_last_message(), NULL);
}
