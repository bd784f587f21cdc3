/* methods/pipe: the handlers of pipe.*; the operations are in daemon/objects/pipe.h. */
#include "daemon/objects/pipe.h"

#include <errno.h>
#include <inttypes.h>

#include "daemon/methods/methods.h"
#include "daemon/methods/open.h"

static int make_pipe(struct call *call, const struct object_options *common,
                     const struct param *given, struct object **out)
{
    struct pipe *pipe;
    int status = pipe_new(common, option_bool(&given[OPTION_pipe_open_duplex], true), &pipe);
    if (status == 0) {
        *out = &pipe->object;
    }
    return status;
}

static void pipe_differs(const struct object *object, const struct param *given, bool *differs)
{
    const struct pipe *pipe = (const struct pipe *)object;
    differs[OPTION_pipe_open_duplex] =
        option_bool(&given[OPTION_pipe_open_duplex], pipe->duplex) != pipe->duplex;
}

int method_pipe_open(struct call *call)
{
    static const struct open_type type = {
        .type = &pipe_type,
        .make = make_pipe,
        .differs = pipe_differs,
    };
    return open_object(call, &type);
}

static int refuse_connect(struct call *call, int error)
{
    const char *name = call->object->name;
    if (error == ERR_EXISTS && call_given(call, 1)) {
        return call_fail(call, error,
                         "pipe.connect: end %" PRId64 " of \"%s\" is taken; the pipe starts anew "
                         "when both ends have been taken and closed",
                         call_int(call, 1, 0), name);
    }
    if (error == ERR_EXISTS) {
        return call_fail(call, error,
                         "pipe.connect: both ends of \"%s\" are taken; it starts anew when both "
                         "have been closed",
                         name);
    }
    if (error == ERR_MEMORY) {
        char text[128];
        return call_fail(call, error, "pipe.connect: the system gives no pair of sockets: %s",
                         strerror_r(errno, text, sizeof(text)));
    }
    return error;
}

int method_pipe_connect(struct call *call)
{
    int64_t wanted = call_int(call, 1, PIPE_ENDS);
    if (call_given(call, 1) && wanted >= PIPE_ENDS) {
        return call_fail(call, ERR_BAD_REQUEST,
                         "pipe.connect: param end must be 0 or 1, not %" PRId64, wanted);
    }
    struct pipe *pipe = pipe_of(call->object);
    if (user_is_closing(pipe->object.user)) {
        if (call_needs_pace(call, UINT32_MAX)) {
            return CALL_PACED;
        }
        pipe_catch_up(pipe, call->pace);
    }
    struct descriptor *descriptor;
    unsigned end;
    int status = pipe_connect(pipe, (unsigned)wanted, &descriptor, &end);
    if (status < 0) {
        return refuse_connect(call, status);
    }
    struct buffer *out = call_result(call);
    pack_array(out, 2);
    call_pack_descriptor(call, descriptor);
    pack_uint(out, end);
    return 0;
}
