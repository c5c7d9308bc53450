"""HTTP: feeds, article pages, robots.txt. Does the requests and holds no policy about when to make them.

`client.Client` fetches, `hosts.HostGate` spaces requests to one host, `article.Articles` reads the pages of entries
that matched.
Called by `jobs` and `pipeline`.
"""
