-- queue_rows: rows of calls (15_run.lua) that put into one queue or get from it, by one command for all
-- of them.
local queue = ipcd.queue

-- True if from argv[from] to argv[to] nothing is given.
local function is_nothing(argv, from, to)
    for at = from, to do
        if argv[at] ~= "" then
            return false
        end
    end
    return true
end

-- Puts of values with nothing to remember, for all of which there is room.
function queue.put_row(obj, argv, first, size, n, replies)
    local q = queue.of(obj)
    local maxsize = q.options.maxsize
    if q.is_ranked or q.shut_down or maxsize > 0 and q.ready + q.delayed + n > maxsize then
        return false
    end
    local values = {}
    for i = 1, n do
        local value = argv[first]
        if not is_nothing(argv, first + 2, first + size - OP_STRINGS - 1) then
            return false
        end
        values[i] = value:byte(1) == 0xc1 and ipcd.pack.raw(value) or value
        first = first + size
    end
    redis.call("RPUSH", obj:key("q"), unpack(values))
    q.ready, q.listed, q.puts = q.ready + n, q.listed + n, q.puts + n
    obj:touch()
    local count = #replies
    for i = 1, n do
        replies[count + i] = "=\192"
    end
    return true
end

-- Gets from a plain fifo queue that has as many values, and nothing before them.
function queue.get_row(obj, argv, first, size, n, replies)
    local q = queue.of(obj)
    if not q.is_simple or queue.lacks(q) or q.ready ~= q.listed or q.ready < n then
        return false
    end
    for i = 0, n - 1 do
        local at = first + i * size
        if not is_nothing(argv, at + 1, at + size - OP_STRINGS - 1) then
            return false
        end
    end
    local values = redis.call("LPOP", obj:key("q"), n)
    q.ready, q.listed, q.gets, q.popped = q.ready - n, q.listed - n, q.gets + n, q.popped + n
    obj:touch()
    local count = #replies
    for i = 1, n do
        replies[count + i] = "=\147" .. values[i] .. "\192\1"
    end
    return true
end

ipcd.methods["queue.put"].row = queue.put_row
ipcd.methods["queue.get"].row = queue.get_row
