-- list_slice: slices of a list, by Python's rules; as daemon/objects/list_range.c has them.
--
-- A range is { start =, step =, count = }: `count` positions from `start`, `step` apart. All is
-- O(n).

local list = ipcd.list

list.FEW = 32 -- so many values are set or removed in their places, of more all from there on move

-- The range of a slice's start, stop and step, "" for what is left out; or nil: the step is 0.
function list.range(len, start, stop, step)
    local by = step == "" and 1 or tonumber(step)
    if by == 0 then
        return nil
    end
    local low = by > 0 and 0 or -1
    local high = by > 0 and len or len - 1
    local from = by > 0 and low or high
    local to = by > 0 and high or low
    from = start == "" and from or list.bound(len, start, low, high)
    to = stop == "" and to or list.bound(len, stop, low, high)
    local distance = by > 0 and to - from or from - to
    local count = distance > 0 and math.floor((distance - 1) / math.abs(by)) + 1 or 0
    return { start = from, step = by, count = count }
end

-- The positions of a range, from the lowest to the highest.
function list.upwards(range)
    if range.step > 0 or range.count == 0 then
        return range
    end
    local start = range.start + (range.count - 1) * range.step
    return { start = start, step = -range.step, count = range.count }
end

-- The position behind the last one of a range upwards.
function list.behind(up)
    return up.start + (up.count - 1) * up.step + 1
end

-- The values of a range, as stored.
function list.values_of(obj, range)
    if range.count == 0 then
        return {}
    end
    local up = list.upwards(range)
    local span = list.values(obj, up.start, list.behind(up))
    if range.step == 1 then
        return span
    end
    local values = {}
    local at = range.step > 0 and 1 or #span
    for i = 1, range.count do
        values[i] = span[at]
        at = at + range.step
    end
    return values
end

-- Keeps only the values from a position to before another.
function list.keep(obj, from, to)
    if from < to then
        redis.call("LTRIM", obj:key("l"), from, to - 1)
    else
        redis.call("UNLINK", obj:key("l"))
    end
end

function list.reversed(values)
    local reversed, n = {}, #values
    for i = 1, n do
        reversed[i] = values[n - i + 1]
    end
    return reversed
end

-- Puts values in the place of those from a position to before another. Those on the shorter side of
-- it are taken out and put back.
function list.replace(obj, len, from, to, values)
    local key = obj:key("l")
    if len - to <= from then
        local tail = list.values(obj, to, len)
        if from < len then
            list.keep(obj, 0, from)
        end
        ipcd.redis_many("RPUSH", key, values)
        ipcd.redis_many("RPUSH", key, tail)
    else
        local head = list.values(obj, 0, from)
        if to > 0 then
            list.keep(obj, to, len)
        end
        ipcd.redis_many("LPUSH", key, list.reversed(values))
        ipcd.redis_many("LPUSH", key, list.reversed(head))
    end
end

-- Puts values in the places of a range, which has as many.
function list.set_each(obj, len, range, values)
    if range.count <= list.FEW then
        for i = 1, range.count do
            redis.call("LSET", obj:key("l"), range.start + (i - 1) * range.step, values[i])
        end
        return
    end
    local up = list.upwards(range)
    local span = list.values(obj, up.start, list.behind(up))
    local at = range.step > 0 and 1 or #span
    for i = 1, range.count do
        span[at] = values[i]
        at = at + range.step
    end
    list.replace(obj, len, up.start, list.behind(up), span)
end

-- Removes the values of a range upwards, which has some.
function list.remove_each(obj, len, up)
    local key = obj:key("l")
    if up.step == 1 and (up.start == 0 or list.behind(up) == len) then
        list.replace(obj, len, up.start, list.behind(up), {})
    elseif up.count <= list.FEW then
        for i = 1, up.count do
            redis.call("LSET", key, up.start + (i - 1) * up.step, list.MARK)
        end
        redis.call("LREM", key, 0, list.MARK)
    else
        local span = list.values(obj, up.start, list.behind(up))
        local kept = {}
        for i = 1, #span do
            if (i - 1) % up.step ~= 0 then
                kept[#kept + 1] = span[i]
            end
        end
        list.replace(obj, len, up.start, list.behind(up), kept)
    end
end

-- A range has been replaced by so many values.
function list.tell_replaced(obj, range, inserted)
    local up = list.upwards(range)
    if up.count == 0 and inserted == 0 then
        return
    elseif up.count == 0 then
        list.tell(obj, "insert", "index", up.start, "count", inserted)
    elseif inserted == 0 and up.step == 1 then
        list.tell(obj, "delete", "index", up.start, "count", up.count)
    else
        list.tell(obj, "set_slice", "index", up.start, "removed", up.count, "inserted", inserted)
    end
end

-- Puts values in the place of a range. If its step is not 1 it has as many.
function list.set_range(obj, len, range, values)
    list.note_all(obj, values)
    if #values == range.count then
        list.set_each(obj, len, range, values)
    else
        list.replace(obj, len, range.start, range.start + range.count, values)
    end
    list.tell_replaced(obj, range, #values)
end

function list.delete_range(obj, len, range)
    if range.count > 0 then
        list.remove_each(obj, len, list.upwards(range))
        list.tell_replaced(obj, range, 0)
    end
end

-- Puts values at the end; the new length. O(number of them).
function list.extend(obj, values)
    local len = list.len(obj)
    list.set_range(obj, len, { start = len, step = 1, count = 0 }, values)
    return len + #values
end

function list.reverse(obj)
    local values = list.values(obj, 0, list.len(obj))
    if #values > 0 then
        redis.call("UNLINK", obj:key("l"))
        ipcd.redis_many("LPUSH", obj:key("l"), values)
        list.tell(obj, "reverse")
    end
end
