-- list_sort: sorting a list and repeating it; as daemon/objects/list_sort.c and list.c have it.
--
-- A merge sort, which is stable, of the places of the values. Each has a rank, a double, which
-- sorts as the value does or is equal where it does not decide: then the sort keys do. Sorted
-- stretches are left alone. O(n log n).

local list = ipcd.list

list.VALUES_MAX = 2147483648 -- in one list
list.REPEAT_BYTES = 67108864 -- what list.repeat may add in one call, since nothing else runs then
list.VALUE_BYTES = 16 -- what a value takes in that beside its own bytes

-- The ranks of numbers: the doubles next to them. A NaN ranks with infinity, and its key is behind.
-- Nil if one is none.
local function ranks_of_numbers(values)
    local ranks = {}
    for i = 1, #values do
        local double = ipcd.number.double(ipcd.pack.canon(values[i]))
        if not double then
            return nil
        end
        ranks[i] = double == double and double or math.huge
    end
    return ranks
end

-- How many bytes all of them begin with, of the first few.
local function common_prefix(keys)
    local prefix = keys[1]:sub(1, 64)
    for i = 2, #keys do
        while keys[i]:sub(1, #prefix) ~= prefix do
            prefix = prefix:sub(1, -2)
        end
    end
    return #prefix
end

-- The ranks of strs, or of bins: the first bytes behind what all of them begin with. Nil if they
-- are neither.
local function ranks_of_runs(values)
    local keys, ranks = {}, {}
    local kind = ipcd.number.sort_key(ipcd.pack.canon(values[1]))
    for i = 1, #values do
        local kind_here, key = ipcd.number.sort_key(ipcd.pack.canon(values[i]))
        if not kind_here or kind_here ~= kind then
            return nil
        end
        keys[i] = key
    end
    local at = common_prefix(keys) + 1
    for i = 1, #keys do
        local high, low = struct.unpack(">I4I2", keys[i]:sub(at, at + 5) .. "\0\0\0\0\0\0")
        ranks[i] = high * 65536 + low
    end
    return ranks
end

-- Of two values with the same rank: true if `a` comes before `b`.
local function is_before(a, b)
    if a == b then
        return false
    end
    local _, key_a = ipcd.number.sort_key(ipcd.pack.canon(a))
    local _, key_b = ipcd.number.sort_key(ipcd.pack.canon(b))
    return ipcd.number.is_before(key_a, key_b)
end

-- How to sort: `values`, their `ranks`, `reverse`.
local function comes_first(sorting, a, b)
    local rank_a, rank_b = sorting.ranks[a], sorting.ranks[b]
    if rank_a ~= rank_b then
        return rank_a < rank_b
    elseif sorting.reverse then
        return is_before(sorting.values[b], sorting.values[a])
    end
    return is_before(sorting.values[a], sorting.values[b])
end

-- Merges from[low, middle) and from[middle, high), both sorted, into `to`.
local function merge(sorting, from, to, low, middle, high)
    local ranks = sorting.ranks
    local left, right = low, middle
    if middle >= high or not comes_first(sorting, from[middle], from[middle - 1]) then
        left, right = high, low -- they are sorted: copied in one
    end
    for at = low, high - 1 do
        local take_right = left >= middle
        if not take_right and right < high then
            take_right = ranks[from[right]] <= ranks[from[left]]
                and comes_first(sorting, from[right], from[left])
        end
        if take_right then
            to[at] = from[right]
            right = right + 1
        else
            to[at] = from[left]
            left = left + 1
        end
    end
end

-- The places of the values in their order.
local function sorted(sorting)
    local count = #sorting.values
    local from, to = {}, {}
    for i = 1, count do
        from[i] = i
    end
    local width = 1
    while width < count do
        for low = 1, count, 2 * width do
            local middle = math.min(low + width, count + 1)
            merge(sorting, from, to, low, middle, math.min(low + 2 * width, count + 1))
        end
        from, to = to, from
        width = 2 * width
    end
    return from
end

-- How many values are sorted in one call; 250,000 would keep the node for seconds.
list.SORT_MOST = 100000

-- Sorts the list; nil if its values cannot be ordered, and then it is as it was.
function list.sort(obj, reverse)
    ipcd.take_many(obj, list.len(obj), list.SORT_MOST)
    local values = list.values(obj, 0, list.len(obj))
    if #values < 2 then
        return true
    end
    local ranks = ranks_of_numbers(values) or ranks_of_runs(values)
    if not ranks then
        return nil
    end
    for i = 1, reverse and #ranks or 0 do
        ranks[i] = -ranks[i]
    end
    local order = sorted({ values = values, ranks = ranks, reverse = reverse })
    local is_moved = false
    for i = 1, #order do
        is_moved = is_moved or order[i] ~= i
        order[i] = values[order[i]]
    end
    if is_moved then
        redis.call("UNLINK", obj:key("l"))
        ipcd.redis_many("RPUSH", obj:key("l"), order)
    end
    list.tell(obj, "sort")
    return true
end

-- Appends all values again, so many times. O(values that come).
local function append_copies(obj, values, copies)
    local part = {}
    for _ = 1, copies do
        for i = 1, #values do
            part[#part + 1] = values[i]
            if #part == list.PART then
                redis.call("RPUSH", obj:key("l"), unpack(part))
                part = {}
            end
        end
    end
    ipcd.redis_many("RPUSH", obj:key("l"), part)
end

-- Makes the list n times itself; n <= 0 empties it. Or nil, code, text. O(values that come).
function list.repeated(obj, n)
    local len = list.len(obj)
    if n <= 0 or len == 0 then
        list.clear(obj)
        return true
    elseif n * len > list.VALUES_MAX then
        local text = "list.repeat: a list has at most %d values"
        return nil, "TOO_LARGE", text:format(list.VALUES_MAX)
    elseif n == 1 then
        return true
    end
    local values = list.values(obj, 0, len)
    local bytes = #values * list.VALUE_BYTES
    for i = 1, #values do
        bytes = bytes + #values[i]
    end
    if bytes * (n - 1) > list.REPEAT_BYTES then
        local text = "list.repeat: the copies take more than the %d bytes that one call may add "
            .. "in an engine"
        return nil, "LIMIT", text:format(list.REPEAT_BYTES)
    end
    append_copies(obj, values, n - 1)
    list.tell(obj, "insert", "index", len, "count", len * (n - 1))
    return true
end
