/*
 * _core: the C part of the Python package: libipcclient as Python sees it. It knows connections and
 * calls by name, packs Python's objects into MessagePack and unpacks them; what a queue or a dict
 * is the package's Python files know.
 *
 * It keeps to the stable ABI of Python 3.9, so that one build serves every later version. It has no
 * state of its own: what it needs of the Python files (struct hooks) each connection is given.
 *
 * The global lock of the interpreter (the GIL) guards every struct here. It is let go of while a
 * call waits; then nothing of a Python object is touched but what the call holds a reference to.
 */
#pragma once

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdatomic.h>

#include "ipcclient.h"

/* 3.9 has it under this number, too, and promises it from 3.10 on. */
#ifndef METH_FASTCALL
#define METH_FASTCALL 0x0080
#endif

/* Ext types that are this package's own; see proto/PROTOCOL.md. */
enum ext_type {
    EXT_REFERENCE = 1,
    EXT_DESCRIPTOR = 2,
    EXT_PICKLE = 112, /* 'p' */
    EXT_TUPLE = 116   /* 't', of no bytes: the array that it begins is a tuple */
};

/* What the Python files do for this one. Each is a callable, owned. */
struct hooks {
    PyObject *encode;  /* (object, whole) -> (ext type, payload): see pack_object */
    PyObject *decode;  /* (source or None, ext type, bytes or int) -> object */
    PyObject *fail;    /* (code's name, message, detail) -> exception */
    PyObject *values;  /* the class of lists that are arrays of the protocol: see pack_object */
    PyObject *map;     /* … and that of dicts */
    PyObject *refused; /* the class of exceptions that `decode` raises for what must not be lost */
};

/* Calls whose answers nobody waits for. It belongs to a session of the library, whose reading
 * thread writes it without the GIL. */
struct posted {
    atomic_int_fast64_t waiting; /* for their answers; for a moment one too few */
    atomic_int error;            /* the first one, with its message; 0: none; 1: being written */
    char message[512];
};

/* A connection: one session at the daemon, in this process. */
struct connection {
    PyObject_HEAD struct hooks hooks;
    struct ipcc *ipcc; /* NULL: closed */
    struct posted *posted;
    unsigned
        users;    /* calls that are using `ipcc` without the GIL: it is freed when there are none */
    bool closing; /* … by the last of them */
    PyObject *path; /* bytes; or NULL: the usual ones */
    PyObject *client;
    PyObject *version;
    PyObject *told; /* of events: a callable, or NULL */
    int64_t connect_timeout_ms;
    bool reconnect;
    bool embedded;
};

/* An object of the daemon's, by name, on a connection: the base of the package's proxies. */
struct handle {
    PyObject_HEAD struct connection *conn; /* owned */
    PyObject *name;                        /* bytes; owned */
    struct ipcc_ahead *ahead; /* owned; what of it can be got without a call; NULL: none yet */
    struct ipcc *ahead_of;    /* the session that it is of */
};

/* ---- params: _core_params.c ------------------------------------------------------------------ */

enum { PARAMS_MAX = 12 };

struct keep; /* a buffer, or an array of values, that params point at */

/* The params of one call. */
struct params {
    struct ipcc_value values[PARAMS_MAX];
    size_t count;
    PyObject *objects[PARAMS_MAX]; /* what values point at; owned */
    size_t object_count;
    struct keep *kept;
};

/* Appends one object. `key`: as a key of a dict. -1 with an exception. */
int params_add(struct params *params, const struct hooks *hooks, PyObject *object, bool key);
void params_free(struct params *params);

/* ---- packing: _core_pack.c ------------------------------------------------------------------- */

struct msgpack_sbuffer;

enum pack {
    PACK_ERROR = -1, /* with an exception */
    PACK_DONE = 0,
    PACK_DESCRIPTOR = 1, /* there is a file descriptor in it; the buffer holds a part of it */
    PACK_WHOLE = 2       /* too deep, or keys that MessagePack has not; only within pack_object */
};

/* Writes an object. `key`: as a key of a dict, where tuples are arrays. */
enum pack pack_object(struct msgpack_sbuffer *buffer, const struct hooks *hooks, PyObject *object,
                      bool key);

/* Whether an object is of hooks.values, or hooks.map. */
bool pack_is_values(const struct hooks *hooks, PyObject *object);
bool pack_is_map(const struct hooks *hooks, PyObject *object);

/* What the hook `encode` makes of an object that MessagePack has not. */
struct encoded {
    long type;         /* the ext type; 0: the payload is encoded MessagePack */
    PyObject *payload; /* bytes, or an int for EXT_DESCRIPTOR; owned */
};
/* `whole`: by pickle, whatever it is. -1 with an exception. */
int pack_encode(const struct hooks *hooks, PyObject *object, bool whole, struct encoded *out);
/* Writes it. */
enum pack pack_encoded(struct msgpack_sbuffer *buffer, const struct encoded *encoded);

/* ---- unpacking: _core_unpack.c --------------------------------------------------------------- */

/* Of what form a result is. */
enum result {
    RESULT_VALUE, /* one value */
    RESULT_FIRST, /* the first element of an array */
    RESULT_KEY,   /* a key of a dict: arrays are tuples */
    RESULT_KEYS,  /* an array of keys */
    RESULT_PAIR,  /* [key, value] -> (key, value) */
    RESULT_PAIRS, /* an array of those */
    RESULT_SCAN,  /* {cursor, items: pairs} -> (cursor, pairs) */
    RESULT_HELD   /* of an acquire: {depth, abandoned} -> (depth, abandoned) */
};

/* What an answer is unpacked for. */
struct unpack {
    const struct hooks *hooks;
    PyObject *source;               /* that `decode` is told of, or NULL; borrowed */
    const struct ipcc_reply *reply; /* whose descriptors it names, or NULL */
};

/* NULL with an exception. */
PyObject *unpack_result(const struct unpack *unpack, const struct ipcc_value *value,
                        enum result form);

/* ---- errors: _core_errors.c ------------------------------------------------------------------ */

/* Sets the exception for a failed call; `detail` is its reply's value, or NULL. Always NULL. */
PyObject *raise_status(const struct hooks *hooks, int status, const char *message,
                       const struct ipcc_reply *detail);
/* The same with this thread's last message. */
PyObject *raise_last(const struct hooks *hooks, int status);

/* ---- calls: _core_call.c --------------------------------------------------------------------- */

struct call {
    struct connection *conn;
    PyObject *source; /* that `decode` is told of, and whose _undo is called; or NULL; borrowed */
    bool named;       /* `source` is a struct handle, and its name the first param */
    PyObject *const *args; /* the method's name as bytes, and the params; borrowed */
    Py_ssize_t count;
    bool key;   /* the first of the params is a key */
    bool ahead; /* it is a queue.get of `source`: items that follow may be reserved with it */
    enum result form;
};

/* Runs a call and waits for its answer. A signal whose handler raises ends it: nothing is taken
 * then, and what came nevertheless is given to the handle's _undo. NULL with an exception. */
PyObject *call_run(const struct call *call);

/* The same of an answer of the method that has come in another way. */
PyObject *call_taken(const struct call *call, struct ipcc_reply *reply);

/* Raises what a call that was posted has failed with, once. False: nothing has. */
bool call_raise_posted(struct connection *conn);

/* Starts one, and tells `done` (result, exception) in whichever thread reads, or at once if it
 * cannot be sent. The call's id, as an int. NULL with an exception. */
PyObject *call_start(const struct call *call, PyObject *done);

/* Sends one whose result nobody wants. Its error is kept in connection.posted, and raised by the
 * next one. 1: the socket has not taken all of it; the rest leaves at the next call. -1 with an
 * exception. */
int call_post(const struct call *call);

/* ---- connections: _core_connection.c, handles: _core_handle.c, others ------------------------ */

/* Adds their types to the module. -1 with an exception. */
int connection_ready(PyObject *module);
int handle_ready(PyObject *module);
int held_ready(PyObject *module); /* behind handle_ready, whose type it inherits */
int value_ready(PyObject *module);
int array_ready(PyObject *module);
int pipe_end_ready(PyObject *module);

/* A connection that is to be used without the GIL, and no longer. NULL with an exception: it is
 * closed. */
struct ipcc *connection_enter(struct connection *conn);
void connection_leave(struct connection *conn);

/* Whether an object is a connection. */
bool connection_is(PyObject *object);

/* After a fork: a session of this process's own in place of the parent's. -1 with an exception. */
int connection_renew(struct connection *conn);

/* Takes a robust lock in shared memory: `lock` is called with the timeouts of short waits, between
 * which signals are handled. 0: the time ran out; 1: held; 2: held, and its last holder has died.
 * -1 with an exception. */
int shared_lock(int (*lock)(void *shared, int64_t timeout_ms, bool *abandoned), void *shared,
                int64_t timeout_ms);
/* Milliseconds from Python: None is IPCC_FOREVER. -2 with an exception. */
int64_t milliseconds(PyObject *object);

/* A number of the library's. */
PyObject *number_object(const struct ipcc_value *number);
/* And back: scalars only. -1 with an exception. */
int number_value(PyObject *object, struct ipcc_value *out);
/* A connection's hooks as a struct of their own, for what outlives the connection. */
void hooks_copy(struct hooks *to, const struct hooks *from);
void hooks_clear(struct hooks *hooks);
/* From the tuple that Python gives. -1 with an exception. */
int hooks_take(struct hooks *hooks, PyObject *tuple);

/* Of types that inherit Handle: their beginning and end include these. */
int handle_init(PyObject *self, PyObject *args, PyObject *kwargs);
void handle_dealloc(PyObject *self);

/* What of the queue can be got without a call, in this process; NULL: there is none. Never fails:
 * _core_ahead.c. */
struct ipcc_ahead *handle_ahead(struct handle *handle);
/* A method of handles. */
PyObject *handle_get(PyObject *self, PyObject *const *args, Py_ssize_t count);

/* Methods of connections: _core_loop.c. */
PyObject *connection_fileno(PyObject *self, PyObject *unused);
PyObject *connection_events(PyObject *self, PyObject *unused);
PyObject *connection_next_timeout(PyObject *self, PyObject *unused);
PyObject *connection_process(PyObject *self, PyObject *revents);
PyObject *connection_flush(PyObject *self, PyObject *unused);
PyObject *connection_cancel(PyObject *self, PyObject *id);
PyObject *connection_on_event(PyObject *self, PyObject *told);

/* Adds a type to the module. -1 with an exception. */
int add_type(PyObject *module, const char *name, PyType_Spec *spec);
/* A new object of such a type, zeroed; and its end. NULL with an exception. */
PyObject *instance_new(PyTypeObject *type);
void instance_free(PyObject *self);
