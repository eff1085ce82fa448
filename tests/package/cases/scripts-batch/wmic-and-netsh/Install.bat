wmic service where "name='LedgerSvc'" call stopservice
wmic os where primary=1 call reboot
netsh advfirewall firewall add rule name="Ledger" dir=in action=allow protocol=TCP localport=8443
netsh http add urlacl url=https://+:8443/ user=Everyone
netsh interface ip set dns name="Ethernet" static 10.20.0.53
dism /online /enable-feature /featurename:NetFx3 /quiet /norestart
