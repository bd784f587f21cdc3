-- register: Redis is told of the functions; the types are completed when it first runs, as most of
-- Lua is not there while the library is loaded.

local function complete_types()
    for name in pairs(ipcd.types) do
        ipcd.method(name .. ".open", { changes = true, type = name }, open)
        ipcd.methods[name .. ".open"].opens = true
    end
end

local function main(keys, argv)
    if complete_types then
        complete_types()
        setmetatable(first_call, call_class)
        setmetatable(run, run_class)
        complete_types = nil
    end
    return ipcd.main(keys, argv)
end

-- A second function of the same, for what gives something back: Redis runs it also where there is no
-- memory.
redis.register_function(LIBRARY, main)
redis.register_function({ function_name = LIBRARY .. "_frees", callback = main,
    flags = { "allow-oom" } })
