sc stop %1
