import psycopg2
cur = psycopg2.connect(host="db.vendor.example").cursor()
cur.execute("CREATE ROLE reporter LOGIN PASSWORD 'Wint3r-word'")
cur.execute("SELECT 1")
