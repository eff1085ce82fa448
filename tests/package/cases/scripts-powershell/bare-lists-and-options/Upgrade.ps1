Stop-Service LedgerSvc, LedgerMail, LedgerWeb
Remove-Item C:\Ledger\cache, C:\Ledger\tmp -Recurse
java -Xmx512m -Dledger.home=C:\Ledger -jar .\migrate.jar --url=jdbc:postgresql://db01.ledger.example:5432/ledger
if ($LASTEXITCODE -ne 0) { throw 'migration failed' }
Start-Service LedgerSvc, LedgerMail, LedgerWeb
