-- queue_rows: runs of calls (15_run.lua) that put into one queue or get from it, as most do: one
-- command for all of them. Nothing is made for each that is not sent or answered.
local queue = ipcd.queue

-- True if one of the values is not in the form in which it came.
local function has_other_form(argv, first, step, n)
    local byte = string.byte
    for at = first, first + (n - 1) * step, step do
        if byte(argv[at]) == 0xc1 then
            return true
        end
    end
    return false
end

-- The values of a run, as they came.
local function raw_values(argv, first, step, n)
    local values = {}
    for i = 1, n do
        values[i] = ipcd.pack.raw(argv[first + (i - 1) * step])
    end
    return values
end

-- Puts of values with nothing to remember, for all of which there is room. Behind the value there
-- may be a timeout, and no option.
function queue.put_row(obj, argv, first, nargs, n)
    local q = queue.of(obj)
    local maxsize = q.options.maxsize
    if nargs > 2 or q.is_ranked or q.shut_down or maxsize > 0 and q.ready + q.delayed + n > maxsize then
        return nil
    end
    local is_other = has_other_form(argv, first, nargs, n)
    if n == 1 then
        redis.call("RPUSH", obj:key("q"), is_other and ipcd.pack.raw(argv[first]) or argv[first])
    elseif nargs == 1 and not is_other then
        redis.call("RPUSH", obj:key("q"), unpack(argv, first, first + n - 1))
    else
        redis.call("RPUSH", obj:key("q"), unpack(raw_values(argv, first, nargs, n)))
    end
    q.ready, q.listed, q.puts = q.ready + n, q.listed + n, q.puts + n
    return n == 1 and "=\192" or { "=\192" }, true
end

-- Gets from a plain fifo queue that has as many values, and nothing before them. There may be a
-- timeout, and no option.
function queue.get_row(obj, _, _, nargs, n)
    local q = queue.of(obj)
    if nargs > 1 or not q.is_simple or q.ready ~= q.listed or q.ready < n or queue.lacks(q) then
        return nil
    end
    local reply
    if n == 1 then
        reply = "=\147" .. redis.call("LPOP", obj:key("q")) .. "\192\1"
    else
        local values = redis.call("LPOP", obj:key("q"), n)
        reply = { "=\147", "\192\1" }
        for i = 1, n do
            reply[i + 2] = values[i]
        end
    end
    q.ready, q.listed, q.gets, q.popped = q.ready - n, q.listed - n, q.gets + n, q.popped + n
    return reply, true
end

ipcd.methods["queue.put"].row = queue.put_row
ipcd.methods["queue.get"].row = queue.get_row
