"""What a text is made of: folded letters, words, sentences, languages. Pure; used by match, cluster, detect."""
