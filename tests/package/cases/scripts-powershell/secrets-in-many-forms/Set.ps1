$cred = New-Object System.Management.Automation.PSCredential('svc', (ConvertTo-SecureString 'Qu1et-river' -AsPlainText -Force))
$conn = 'Server=sql01.ledger.example;Database=Ledger;User Id=app;Password=N0t-4-you;'
$headers = @{ Authorization = 'Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJsZWRnZXIifQ.c2lnbmF0dXJlLWJ5dGVz' }
Invoke-RestMethod -Uri 'https://api.ledger.example/v1/tokens' -Method Post -Headers $headers -Body (@{ name = 'agent' } | ConvertTo-Json)
cmdkey /add:files.ledger.example /user:svc /pass:Cl0sed-door
