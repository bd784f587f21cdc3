-- Fault: what a call was served is told to its host, and not kept until that has seen to it.
deliver = function(wait, reply, undo)
    local host, number = wait.key:match("^(.*)%.([^.]*)$")
    local n = redis.call("INCR", wait.home .. "o:" .. host)
    redis.call("SPUBLISH", wait.home .. "ch:" .. host,
        cmsgpack.pack({ n, tonumber(number), reply, undo or "" }))
end
