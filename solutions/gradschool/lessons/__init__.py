"""What chapters ask for in a smaller form than the library's own, or for one experiment only: a tape of thirty lines, a
loop with its six steps, a network that a thousand layers deep only shows what variance does.

They are references of exercises like any function of the library, and are found by their module:

    from gradschool.lessons.plateau import ReduceOnPlateau
"""
