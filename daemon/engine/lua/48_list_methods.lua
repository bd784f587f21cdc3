-- list_methods: the handlers of list.*, as daemon/methods/list.c has them; what they are made of is
-- in 45_list.lua to 47_list_sort.lua, which say what each takes.

local list = ipcd.list

-- Declares a method of lists: handler(object, method, …).
function list.method(verb, changes, handler)
    local method = "list." .. verb
    ipcd.method(method, { changes = changes }, function(call, ...)
        return handler(call.obj, method, ...)
    end)
end

-- One value.

list.method("append", true, function(obj, _, value)
    return ipcd.pack.int(list.append(obj, value))
end)

list.method("insert", true, function(obj, _, index, value)
    local len = list.len(obj)
    list.insert(obj, len, list.bound(len, index, 0, len), value)
    return ipcd.pack.nil_
end)

list.method("get", false, function(obj, method, index)
    local value = list.get(obj, index)
    if not value then
        return list.refuse_index(obj, method, index)
    end
    return ipcd.pack.raw(value)
end)

list.method("set", true, function(obj, method, index, value)
    if not list.set(obj, index, value) then
        return list.refuse_index(obj, method, index)
    end
    return ipcd.pack.nil_
end)

list.method("delete", true, function(obj, method, index)
    local len = list.len(obj)
    local position = list.position(len, index)
    if not position then
        return list.refuse_index(obj, method, index)
    end
    list.delete(obj, len, position)
    return ipcd.pack.nil_
end)

list.method("pop", true, function(obj, method, index)
    local len = list.len(obj)
    if len == 0 then
        return nil, "INDEX", string.format('list.pop: "%s" is empty', obj.name)
    end
    index = index ~= "" and index or "-1"
    local value = list.get(obj, index)
    if not value then
        return list.refuse_index(obj, method, index)
    end
    list.delete(obj, len, list.position(len, index))
    return ipcd.pack.raw(value)
end)

list.method("incr", true, function(obj, method, index, delta)
    local value = list.get(obj, index)
    if not value then
        return list.refuse_index(obj, method, index)
    end
    delta = delta ~= "" and delta or "\1"
    local sum, code = ipcd.number.add(ipcd.pack.canon(value), ipcd.pack.canon(delta))
    if not sum then
        return ipcd.number.refuse(method, code, "at this index")
    end
    list.set(obj, index, sum)
    return sum
end)

-- Several values.

list.method("extend", true, function(obj, _, values)
    return ipcd.pack.int(list.extend(obj, cmsgpack.unpack(values)))
end)

-- The range of a slice and the list's length; or nil and a refusal.
function list.read_range(obj, method, start, stop, step)
    local len = list.len(obj)
    local range = list.range(len, start, stop, step)
    if not range then
        return nil, "VALUE", method .. ": the step of a slice cannot be 0"
    end
    return range, len
end

list.method("slice", false, function(obj, method, start, stop, step)
    local range, code, text = list.read_range(obj, method, start, stop, step)
    if not range then
        return nil, code, text
    end
    local values = list.raw_all(obj, list.values_of(obj, range))
    return ipcd.pack.array(#values) .. table.concat(values)
end)

list.method("set_slice", true, function(obj, method, start, stop, step, values)
    local range, len, text = list.read_range(obj, method, start, stop, step)
    if not range then
        return nil, len, text
    end
    values = cmsgpack.unpack(values)
    if range.step ~= 1 and #values ~= range.count then
        text = "%s: %d values do not fit an extended slice of %d"
        return nil, "VALUE", text:format(method, #values, range.count)
    end
    list.set_range(obj, len, range, values)
    return ipcd.pack.nil_
end)

list.method("delete_slice", true, function(obj, method, start, stop, step)
    local range, len, text = list.read_range(obj, method, start, stop, step)
    if not range then
        return nil, len, text
    end
    list.delete_range(obj, len, range)
    return ipcd.pack.nil_
end)

-- Looking for a value.

function list.refuse_value(obj, method, value)
    local shown = ipcd.value.print(ipcd.pack.raw(value))
    return nil, "VALUE", string.format('%s: %s is not in "%s"', method, shown, obj.name)
end

list.method("index", false, function(obj, method, value, start, stop)
    local position
    if start == "" and stop == "" then
        position = list.find(obj, value)
    else
        local len = list.len(obj)
        local from = start == "" and 0 or list.bound(len, start, 0, len)
        local to = stop == "" and len or list.bound(len, stop, 0, len)
        position = list.find_between(obj, value, from, to)
    end
    if not position then
        return list.refuse_value(obj, method, value)
    end
    return ipcd.pack.int(position)
end)

list.method("count", false, function(obj, _, value)
    return ipcd.pack.int(list.count(obj, value))
end)

list.method("contains", false, function(obj, _, value)
    return ipcd.pack.bool(list.find(obj, value) ~= nil)
end)

list.method("remove", true, function(obj, method, value)
    local position = list.find(obj, value)
    if not position then
        return list.refuse_value(obj, method, value)
    end
    list.delete(obj, list.len(obj), position)
    return ipcd.pack.nil_
end)

-- The whole list.

list.method("len", false, function(obj)
    return ipcd.pack.int(list.len(obj))
end)

list.method("clear", true, function(obj)
    list.clear(obj)
    return ipcd.pack.nil_
end)

list.method("reverse", true, function(obj)
    list.reverse(obj)
    return ipcd.pack.nil_
end)

list.method("sort", true, function(obj, _, reverse)
    if not list.sort(obj, reverse == "1") then
        local text = 'list.sort: the values of "%s" cannot be ordered: they must be all numbers, '
            .. "all strings or all binaries"
        return nil, "TYPE", text:format(obj.name)
    end
    return ipcd.pack.nil_
end)

list.method("repeat", true, function(obj, _, n)
    local done, code, text = list.repeated(obj, tonumber(n))
    if not done then
        return nil, code, text
    end
    return ipcd.pack.nil_
end)
