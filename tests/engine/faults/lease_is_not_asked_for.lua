-- Fault: a batch is run though the lease of its host is over.
local whole = ipcd.main
function ipcd.main(keys, argv)
    local header = cmsgpack.unpack(argv[1])
    header[3] = 0
    local passed = { cmsgpack.pack(header) }
    for i = 2, #argv do
        passed[i] = argv[i]
    end
    return whole(keys, passed)
end
