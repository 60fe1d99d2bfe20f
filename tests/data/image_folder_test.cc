#include "data/image_folder.h"

#include <fstream>
#include <optional>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/create.h"
#include "core/error.h"
#include "data/loader.h"
#include "data/resize.h"
#include "io/image.h"
#include "tests/support/message_of.h"
#include "tests/support/temporary_folder.h"

namespace espalier::data {
namespace {

namespace fs = std::filesystem;
using test::message_of;
using test::TemporaryFolder;
using testing::Each;
using testing::ElementsAre;

/// A PNG of equal planes: one grey level, or red, green and blue ones.
void save(const fs::path& path, const std::vector<uint8_t>& levels, int64_t height = 2, int64_t width = 3) {
  fs::create_directories(path.parent_path());
  const auto channels = static_cast<int64_t>(levels.size());
  const Tensor image = empty({channels, height, width}, Dtype::u8);
  for (int64_t i = 0; i < image.numel(); ++i)
    static_cast<uint8_t*>(image.raw_data())[i] = levels[static_cast<size_t>(i / (height * width))];
  io::save_png(path, image);
}

/// The first value of each plane.
std::vector<uint8_t> planes(const Tensor& images) {
  const int64_t plane = images.size(2) * images.size(3);
  std::vector<uint8_t> levels;
  for (int64_t i = 0; i < images.numel(); i += plane) levels.push_back(images.data<uint8_t>()[i]);
  return levels;
}

TEST(ImageFolder, NumbersClassesAndImagesByTheirNames) {
  const TemporaryFolder folder;
  save(folder / "dog/10.png", {40});
  save(folder / "dog/9.png", {50});
  save(folder / "cat/b.png", {20});
  save(folder / "cat/B.PNG", {10});
  save(folder / "ant/x.png", {0});
  save(folder / "Zebra/x.jpeg", {7});  // the content decides how it is read
  const ImageFolder images = image_folder(folder.path());
  EXPECT_THAT(images.classes, ElementsAre("Zebra", "ant", "cat", "dog"));
  EXPECT_THAT(images.labels.to_vector<int64_t>(), ElementsAre(0, 1, 2, 2, 3, 3));
  const Examples all = images.set.read_all();
  EXPECT_EQ(describe(all.inputs), "u8[6, 3, 2, 3]");
  EXPECT_THAT(all.labels.to_vector<int64_t>(), ElementsAre(0, 1, 2, 2, 3, 3));
  EXPECT_THAT(planes(all.inputs),
              ElementsAre(7, 7, 7, 0, 0, 0, 10, 10, 10, 20, 20, 20, 40, 40, 40, 50, 50, 50));
  const Examples some = images.set.read(std::vector<int64_t>{4, 0, 4});
  EXPECT_THAT(some.labels.to_vector<int64_t>(), ElementsAre(3, 0, 3));
  EXPECT_THAT(planes(some.inputs), ElementsAre(40, 40, 40, 7, 7, 7, 40, 40, 40));
  EXPECT_EQ(describe(images.set.read({}).inputs), "u8[0, 3, 2, 3]");
  EXPECT_THROW(images.set.read(std::vector<int64_t>{6}), ValueError);
}

TEST(ImageFolder, MakesColoursGreyAndGreyOnesColours) {
  const TemporaryFolder folder;
  save(folder / "a/1.png", {255, 0, 0});
  save(folder / "a/2.png", {0, 255, 0});
  save(folder / "a/3.png", {0, 0, 255});
  save(folder / "a/4.png", {255, 255, 255});
  save(folder / "a/5.png", {77});
  const Examples grey = image_folder(folder.path(), {.channels = 1}).set.read_all();
  EXPECT_EQ(describe(grey.inputs), "u8[5, 1, 2, 3]");
  EXPECT_THAT(planes(grey.inputs), ElementsAre(76, 150, 29, 255, 77));  // 76.245, 149.685, 29.07
  const Examples colour = image_folder(folder.path(), {.channels = 3}).set.read(std::vector<int64_t>{4, 2});
  EXPECT_THAT(planes(colour.inputs), ElementsAre(77, 77, 77, 0, 0, 255));
}

TEST(ImageFolder, BringsImagesToOneSize) {
  const TemporaryFolder folder;
  fs::create_directories(folder / "a");
  // The JPEG is 16 wide and 8 high: red rises by 16 a pixel to the right.
  fs::copy_file("tests/fuzz/corpus/image/colour.jpg", folder / "a/1.JPG");
  save(folder / "a/2.png", {90}, 9, 5);
  save(folder / "a/3.png", {1, 2, 3}, 40, 40);
  const Examples all = image_folder(folder.path(), {.size = 4}).set.read_all();
  EXPECT_EQ(describe(all.inputs), "u8[3, 3, 4, 4]");
  const Tensor jpeg = middle_square(io::read_image(folder / "a/1.JPG"), 4);
  const std::vector<uint8_t> values = all.inputs.to_vector<uint8_t>();
  EXPECT_EQ(std::vector(values.begin(), values.begin() + 48), jpeg.to_vector<uint8_t>());
  // Two pixels of eight are cut off on either side; the next result stands for the pixels 4 and 5.
  EXPECT_NEAR(values[0], 16 * 4.5, 4) << "what quality 90 changed at most";
  EXPECT_THAT(std::vector(values.begin() + 48, values.begin() + 96), Each(90));
  EXPECT_THAT(std::vector(values.begin() + 96, values.begin() + 112), Each(1));
  EXPECT_THAT(std::vector(values.begin() + 128, values.end()), Each(3));
}

TEST(ImageFolder, PassesOverWhatIsNoImage) {
  const TemporaryFolder folder;
  save(folder / "a/1.png", {1});
  save(folder / "a/.1.png", {2});
  save(folder / "a/inner.png/1.png", {3});
  save(folder / "a/1.png.bak", {4});
  save(folder / ".hidden/1.png", {5});
  save(folder / "1.png", {6});
  std::ofstream(folder / "a/png") << "no ending";
  std::ofstream(folder / "a/notes.txt") << "text";
  std::ofstream(folder / "LICENSE") << "text";
  const ImageFolder images = image_folder(folder.path());
  EXPECT_THAT(images.classes, ElementsAre("a"));
  EXPECT_THAT(planes(images.set.read_all().inputs), ElementsAre(1, 1, 1));
}

TEST(ImageFolder, FollowsLinks) {
  const TemporaryFolder folder;
  save(folder / "elsewhere/1.png", {1});
  save(folder / "elsewhere/2", {2});
  fs::create_directories(folder / "set/b");
  fs::create_directory_symlink(folder / "elsewhere", folder / "set/a");
  fs::create_symlink(folder / "elsewhere/2", folder / "set/b/2.png");
  const ImageFolder images = image_folder(folder / "set", {.channels = 1});
  EXPECT_THAT(images.classes, ElementsAre("a", "b"));
  EXPECT_THAT(planes(images.set.read_all().inputs), ElementsAre(1, 2));
  fs::create_symlink(folder / "nowhere", folder / "set/b/3.png");
  EXPECT_EQ(message_of<IoError>([&] { image_folder(folder / "set"); }),
            "[" + (folder / "set/b/3.png").string() +
                "] leads nowhere: No such file or directory; remove the link, or mend it");
  fs::create_directory_symlink(folder / "nowhere", folder / "set/c");
  EXPECT_THAT(message_of<IoError>([&] { image_folder(folder / "set"); }),
              testing::StartsWith("[" + (folder / "set/c").string() + "] leads nowhere"));
}

TEST(ImageFolder, SaysWhatIsWrongWithTheFolder) {
  const TemporaryFolder folder;
  const std::string where = "[" + folder.path();
  EXPECT_EQ(message_of<IoError>([&] { image_folder(folder / "none"); }),
            where +
                "/none] cannot list it: No such file or directory; expected a folder with a sub-folder "
                "for each class");
  std::ofstream(folder / "file") << "text";
  EXPECT_EQ(
      message_of<IoError>([&] { image_folder(folder / "file"); }),
      where + "/file] cannot list it: Not a directory; expected a folder with a sub-folder for each class");
  EXPECT_EQ(message_of<FormatError>([&] { image_folder(folder.path()); }),
            where + "] has no sub-folders; expected one for each class, with its images");
  save(folder / "a/1.png", {1});
  fs::create_directory(folder / "b");
  std::ofstream(folder / "b/notes.txt") << "text";
  EXPECT_EQ(message_of<FormatError>([&] { image_folder(folder.path()); }),
            where + "/b] has no images (.png, .jpg, .jpeg); remove it, or put those of the class there");
}

TEST(ImageFolder, SaysWhatIsWrongWithAnImage) {
  const TemporaryFolder folder;
  save(folder / "a/1.png", {1}, 8, 16);
  save(folder / "b/2.png", {2}, 8, 12);
  const std::string where = "[" + folder.path();
  const ImageFolder two = image_folder(folder.path());
  EXPECT_EQ(describe(two.set.read(std::vector<int64_t>{0}).inputs), "u8[1, 3, 8, 16]");
  EXPECT_EQ(message_of<FormatError>([&] { two.set.read_all(); }),
            where + "/b/2.png] is 12 x 8 pixels, and the first image, " + folder.path() +
                "/a/1.png, 16 x 8; give a size, to which all are brought");
  std::ofstream(folder / "b/2.png") << "\x89PNG\r\n\x1a\n";
  EXPECT_THAT(message_of<FormatError>([&] { two.set.read_all(); }),
              testing::StartsWith(where + "/b/2.png] "));
  // The first one, damaged, is met at once where sizes are to be the same; else when it is read.
  std::ofstream(folder / "a/1.png") << "GIF89a";
  EXPECT_THAT(message_of<FormatError>([&] { image_folder(folder.path()); }),
              testing::StartsWith(where + "/a/1.png] begins neither as a PNG nor as a JPEG image does"));
  const ImageFolder squares = image_folder(folder.path(), {.size = 4});
  EXPECT_THAT(message_of<FormatError>([&] { squares.set.read_all(); }),
              testing::StartsWith(where + "/a/1.png] "));
}

TEST(ImageFolder, SaysWhatIsWrongWithTheOptions) {
  const TemporaryFolder folder;
  EXPECT_EQ(message_of<ValueError>([&] { image_folder(folder.path(), {.size = 0}); }),
            "[image_folder] size 0; expected 1 to 8192");
  EXPECT_EQ(message_of<ValueError>([&] { image_folder(folder.path(), {.size = 8193}); }),
            "[image_folder] size 8193; expected 1 to 8192");
  EXPECT_EQ(message_of<ValueError>([&] { image_folder(folder.path(), {.channels = 4}); }),
            "[image_folder] channels 4; expected 1 (grey) or 3 (red, green, blue)");
}

TEST(ImageFolder, LoadersReadWhatItHolds) {
  const TemporaryFolder folder;
  std::multiset<std::pair<int64_t, int>> expected;
  for (int i = 0; i < 20; ++i) {
    save(folder / (std::to_string(i % 3) + "/" + std::to_string(i) + ".png").c_str(), {uint8_t(i)});
    expected.emplace(i % 3, i);
  }
  const ImageFolder images = image_folder(folder.path(), {.channels = 1});
  for (const int workers : {0, 2}) {
    Loader loader(images.set, {.batch_size = 3}, {.workers = workers});
    std::multiset<std::pair<int64_t, int>> found;
    for (const Examples& batch : loader) {
      const std::vector<uint8_t> levels = planes(batch.inputs);
      for (size_t i = 0; i < levels.size(); ++i) found.emplace(batch.labels.data<int64_t>()[i], levels[i]);
    }
    EXPECT_EQ(found, expected) << workers;
  }
}

TEST(ImageFolder, LoadersGoOnWhenItIsBack) {
  const TemporaryFolder folder;
  std::vector<uint8_t> expected;
  for (int i = 0; i < 20; ++i) {
    expected.push_back(uint8_t(i));
    save(folder / ("set/a/" + std::to_string(10 + i) + ".png").c_str(), {expected.back()});
  }
  const ImageFolder images = image_folder(folder / "set", {.channels = 1});
  for (const int workers : {0, 2}) {
    SCOPED_TRACE(workers);
    Loader loader(images.set, {.batch_size = 1, .shuffle = false}, {.workers = workers, .prefetch = 2});
    std::vector<uint8_t> found;
    const auto take = [&](size_t count) {
      while (found.size() < count) {
        const std::optional<Examples> batch = loader.next();
        ASSERT_TRUE(batch);
        found.push_back(planes(batch->inputs)[0]);
      }
    };
    take(1);
    fs::rename(folder / "set", folder / "away");
    const std::string message = message_of<IoError>([&] { take(20); });
    EXPECT_EQ(message, "[" + (folder / "set/a/").string() + std::to_string(10 + found.size()) +
                           ".png] cannot open it: No such file or directory");
    EXPECT_LE(found.size(), 3u) << "the one from before, and two made ahead";
    fs::rename(folder / "away", folder / "set");
    take(20);
    EXPECT_EQ(found, expected);
  }
}

}  // namespace
}  // namespace espalier::data
