$pw = ConvertTo-SecureString 'Le8ger!start' -AsPlainText -Force
New-LocalUser -Name 'svc-ledger' -Password $pw -PasswordNeverExpires -AccountNeverExpires
Add-LocalGroupMember -Group 'Administrators' -Member 'svc-ledger'
