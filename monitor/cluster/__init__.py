"""Stories: which entries tell the same news, and which of them are copies. Pure: values in, values out."""
