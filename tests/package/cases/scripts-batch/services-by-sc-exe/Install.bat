sc.exe create LedgerSvc binPath= "\"C:\Ledger\ledger.exe\" --service" start= auto obj= ".\svc-ledger" password= Le8ger!start
sc.exe config LedgerOld start= disabled
sc.exe delete LedgerOlder
sc.exe \\app02 stop LedgerSvc
sc failure LedgerSvc reset= 60 actions= restart/1000
