-- Fault: a batch that comes again after a lost connection is taken for a new one, and run again.
local whole, count = ipcd.main, 0
function ipcd.main(keys, argv)
    local header = cmsgpack.unpack(argv[1])
    count = count + 1
    header[4] = header[4] * 1000 + count
    local passed = { cmsgpack.pack(header) }
    for i = 2, #argv do
        passed[i] = argv[i]
    end
    return whole(keys, passed)
end
