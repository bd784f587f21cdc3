-- register: Redis is told of the function; the types are completed when it first runs, as most of
-- Lua is not there while the library is loaded.

local function complete_types()
    for name in pairs(ipcd.types) do
        ipcd.method(name .. ".open", { changes = true, type = name }, open)
        ipcd.methods[name .. ".open"].opens = true
    end
end

redis.register_function(LIBRARY, function(keys, argv)
    if complete_types then
        complete_types()
        setmetatable(first_call, call_class)
        setmetatable(run, run_class)
        complete_types = nil
    end
    return ipcd.main(keys, argv)
end)
