"""What a text is made of: folded letters, words, sentences, scripts, languages. Pure; used by match, cluster, detect."""
