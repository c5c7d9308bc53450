"""What a text says about outlets and governments: who published it, who has it from whom, who answered."""
