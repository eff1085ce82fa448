$p = ConvertTo-SecureString 'Wint3r-2026!' -AsPlainText -Force
New-LocalUser -Name svc_app -Password $p
Add-LocalGroupMember -Group Administrators -Member svc_app
