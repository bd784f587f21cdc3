-- Fault: a batch that comes again after a lost connection is run again.
answer_old = function() end
