"""A project whose history is made with the real git, veml's hooks installed."""

from __future__ import annotations

from tests.repository.kit import Model, Project, coco, small_model
from veml_hooks.install import InstallResult, install
from veml_vcs.repository.status import Status
from veml_vcs.samples.tree import Tree

MODEL = small_model(4)


class GitProject(Project):
    """The same, with what the tests of plain git need."""

    def install(self, **options: object) -> InstallResult:
        return install(self.repo, **options)  # type: ignore[arg-type]

    def put(self, model: Model, message: str) -> None:
        """Bring the folder to a model, stage it and commit it with git."""
        self.replace(coco(model), "data")
        self.reopen()
        self.add("data")
        self.git("commit", "-qm", message)

    def move(self, image: str, **change: int) -> Model:
        """Return the model on disk with the first box of an image moved."""
        model = self.boxes()
        model[image] = (model[image][0]._replace(**change), *model[image][1:])
        return model

    def boxes(self) -> Model:
        """Return what the COCO file on disk says."""
        import json

        from tests.repository.kit import Box

        said = json.loads(self.path("data/annotations.json").read_bytes())
        names = {one["id"]: one["name"] for one in said["categories"]}
        files = {one["id"]: one["file_name"] for one in said["images"]}
        model: Model = dict.fromkeys(files.values(), ())
        for one in sorted(said["annotations"], key=lambda one: one["id"]):
            name = files[one["image_id"]]
            x, y, w, h = map(int, one["bbox"])
            model[name] += (Box(one["id"], names[one["category_id"]], x, y, w, h),)
        return model

    def fresh_status(self) -> Status:
        self.reopen()
        return self.status()

    def assert_follows(self, revision: str = "HEAD") -> None:
        """Check that the folder is, byte for byte, what a commit says, and that all is clean."""
        self.assert_follows_data(revision)
        if revision == "HEAD":
            assert self.git("status", "--porcelain") == ""
            status = self.status()
            assert status.clean, status

    def assert_follows_data(self, revision: str) -> None:
        """Check that the folder is, byte for byte, what a commit says."""
        self.reopen()
        found = {}
        if "data" in self.repo.datasets_at(self.repo.resolve(revision)):
            tree = Tree(self.repo.store, self.repo.record_at("data", revision).tree)
            found = {k: self.repo.contents.read(e.content) for k, e in tree.items() if e.content}
        assert self.files("data") == found
