/*
 * _core_module: the module ipcd._core.
 */
#include "_core.h"

#include <msgpack.h>

int add_type(PyObject *module, const char *name, PyType_Spec *spec)
{
    PyObject *type = PyType_FromSpec(spec);
    if (type == NULL) {
        return -1;
    }
    int status = PyModule_AddObject(module, name, type);
    if (status < 0) {
        Py_DECREF(type);
    }
    return status;
}

PyObject *instance_new(PyTypeObject *type)
{
    allocfunc allocate = (allocfunc)(uintptr_t)PyType_GetSlot(type, Py_tp_alloc);
    return allocate(type, 0);
}

void instance_free(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    freefunc release = (freefunc)(uintptr_t)PyType_GetSlot(type, Py_tp_free);
    release(self);
    Py_DECREF((PyObject *)type);
}

/* ---- values without a connection ------------------------------------------------------------- */

static PyObject *pack_as(PyObject *args, bool key)
{
    struct hooks hooks;
    PyObject *tuple;
    PyObject *object;
    msgpack_sbuffer buffer;
    if (!PyArg_ParseTuple(args, "O!O", &PyTuple_Type, &tuple, &object) ||
        hooks_take(&hooks, tuple) < 0) {
        return NULL;
    }
    msgpack_sbuffer_init(&buffer);
    enum pack packed = pack_object(&buffer, &hooks, object, key);
    PyObject *bytes = packed == PACK_DONE
                          ? PyBytes_FromStringAndSize(buffer.data, (Py_ssize_t)buffer.size)
                          : NULL;
    if (packed == PACK_DESCRIPTOR) {
        PyErr_SetString(PyExc_TypeError, "an open file cannot be packed: only a call can pass it");
    }
    msgpack_sbuffer_destroy(&buffer);
    hooks_clear(&hooks);
    return bytes;
}

PyDoc_STRVAR(pack_doc, "pack(hooks, object)\n--\n\nThe encoding of an object, as bytes.");

static PyObject *core_pack(PyObject *module, PyObject *args)
{
    return pack_as(args, false);
}

PyDoc_STRVAR(pack_key_doc, "pack_key(hooks, object)\n--\n\nThe same, as a key of a dict.");

static PyObject *core_pack_key(PyObject *module, PyObject *args)
{
    return pack_as(args, true);
}

PyDoc_STRVAR(elements_doc,
             "elements(encoded)\n--\n\nThe elements of an encoded array, as a list of "
             "bytes, each encoded. What is no array\nhas none.");

/* The array must be the library's own, well formed. */
static PyObject *core_elements(PyObject *module, PyObject *encoded)
{
    char *bytes;
    Py_ssize_t length;
    struct ipcc_value element;
    if (PyBytes_AsStringAndSize(encoded, &bytes, &length) < 0) {
        return NULL;
    }
    struct ipcc_value array = ipcc_raw(bytes, (size_t)length);
    struct ipcc_walk walk = ipcc_walk_of(&array);
    const uint8_t *at = walk.at;
    PyObject *list = PyList_New(0);
    while (list != NULL && ipcc_walk_next(&walk, &element)) {
        PyObject *one = PyBytes_FromStringAndSize((const char *)at, walk.at - at);
        int status = one != NULL ? PyList_Append(list, one) : -1;
        Py_XDECREF(one);
        if (status < 0) {
            Py_DECREF(list);
            return NULL;
        }
        at = walk.at;
    }
    return list;
}

PyDoc_STRVAR(thread_doc, "thread()\n--\n\nThe calling thread as the owner of locks: its number.");

static PyObject *core_thread(PyObject *module, PyObject *unused)
{
    struct ipcc_value owner = ipcc_thread_owner();
    return PyLong_FromLongLong(owner.as.integer);
}

static PyMethodDef methods[] = {{"pack", core_pack, METH_VARARGS, pack_doc},
                                {"pack_key", core_pack_key, METH_VARARGS, pack_key_doc},
                                {"elements", core_elements, METH_O, elements_doc},
                                {"thread", core_thread, METH_NOARGS, thread_doc},
                                {NULL, NULL, 0, NULL}};

/* ---- the module ------------------------------------------------------------------------------ */

static int add_constants(PyObject *module)
{
    return PyModule_AddIntConstant(module, "RESULT_VALUE", RESULT_VALUE) < 0 ||
                   PyModule_AddIntConstant(module, "RESULT_FIRST", RESULT_FIRST) < 0 ||
                   PyModule_AddIntConstant(module, "RESULT_KEY", RESULT_KEY) < 0 ||
                   PyModule_AddIntConstant(module, "RESULT_KEYS", RESULT_KEYS) < 0 ||
                   PyModule_AddIntConstant(module, "RESULT_PAIR", RESULT_PAIR) < 0 ||
                   PyModule_AddIntConstant(module, "RESULT_PAIRS", RESULT_PAIRS) < 0 ||
                   PyModule_AddIntConstant(module, "RESULT_SCAN", RESULT_SCAN) < 0 ||
                   PyModule_AddIntConstant(module, "EXT_REFERENCE", EXT_REFERENCE) < 0 ||
                   PyModule_AddIntConstant(module, "EXT_DESCRIPTOR", EXT_DESCRIPTOR) < 0 ||
                   PyModule_AddIntConstant(module, "EXT_PICKLE", EXT_PICKLE) < 0 ||
                   PyModule_AddIntConstant(module, "EXT_TUPLE", EXT_TUPLE) < 0 ||
                   PyModule_AddStringConstant(module, "version", ipcc_version()) < 0
               ? -1
               : 0;
}

static int fill_module(PyObject *module)
{
    if (connection_ready(module) < 0 || handle_ready(module) < 0 || held_ready(module) < 0 ||
        value_ready(module) < 0 || array_ready(module) < 0 || pipe_end_ready(module) < 0) {
        return -1;
    }
    return add_constants(module);
}

static PyModuleDef_Slot module_slots[] = {{Py_mod_exec, (void *)(uintptr_t)fill_module}, {0, NULL}};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "ipcd._core",
    .m_doc = "libipcclient for the package ipcd: connections, calls, values. Not for programs.",
    .m_methods = methods,
    .m_slots = module_slots,
};

PyMODINIT_FUNC PyInit__core(void);
PyMODINIT_FUNC PyInit__core(void)
{
    return PyModuleDef_Init(&definition);
}
