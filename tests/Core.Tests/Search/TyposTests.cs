using FsCheck.Fluent;
using NodeStash.Core.Search;
using NodeStash.Support;

namespace NodeStash.Core.Tests.Search;

public sealed class TyposTests
{
    [Theory]
    [InlineData("jane", "jane", 0)]
    [InlineData("jane", "jan", 1)]
    [InlineData("jane", "janes", 1)]
    [InlineData("jane", "jame", 1)]
    [InlineData("jane", "jnae", 1)]
    [InlineData("margaret", "amrgarte", 2)]
    [InlineData("", "ab", 2)]
    public void An_edit_is_a_letter_too_many_too_few_another_one_or_two_that_changed_places(string left, string right, int edits) =>
        Assert.Equal(edits, Typos.Distance(left, right, 2));

    [Fact]
    public Task A_distance_is_the_same_both_ways_and_beyond_the_most_it_is_only_more() => Property.Holds(
        from left in Gen.ArrayOf(Gen.Elements('a', 'b', 'c'), 7)
        from right in Gen.ArrayOf(Gen.Elements('a', 'b', 'c'), 6)
        select (left, right),
        words =>
        {
            var exact = Typos.Distance(words.left, words.right, 20);
            Assert.Equal(exact, Typos.Distance(words.right, words.left, 20));
            foreach (var max in new[] { 0, 1, 2, 3 }) Assert.Equal(Math.Min(exact, max + 1), Math.Min(Typos.Distance(words.left, words.right, max), max + 1));
            return Task.CompletedTask;
        });
}
