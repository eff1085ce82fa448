print("no migration")
