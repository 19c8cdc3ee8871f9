"""The published benchmarks of the paper's table, and two on larger pictures, read from the Hugging Face Hub: one file each.

    vstar              V*                 option letter     191, two categories
    tallyqa-complex    TallyQA-Complex    number            rows whose question is not simple
    infographicsvqa    InfographicsVQA    ANLS              2,801
    mvbench            MVBench            option letter     20 tasks of 200
    hr-bench-4k, -8k   HR-Bench           option letter     800 each: 200 questions, options in four orders
    visualprobe-easy, -medium, -hard   VisualProbe   text   106 in the hard one

Each file says where its data set's fields are known from; `source` says what a row becomes and reads the Hub, `benchmarks` lists
them. Nothing here runs without network: `Unavailable` says so.
"""
